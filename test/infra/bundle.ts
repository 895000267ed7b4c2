import { createCipheriv } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { type BuildFailure, build, type Metafile, type OutputFile } from "esbuild";

/** What SST's platform asks its command line to build; the parts that a Node function uses. */
export type BuildRequest = {
  functionID: string;
  handler: string;
  encryptionKey: string;
  links: Record<string, unknown>;
  properties: {
    minify?: boolean;
    splitting?: boolean;
    sourcemap?: boolean;
    esbuild?: { external?: string[]; keepNames?: boolean };
    install?: Record<string, string>;
  };
};
/** `exports` are the bundle's, in addition to what the platform reads. */
export type BuildAnswer = { handler: string; out: string; errors: string[]; sourcemaps: string[]; exports: string[] };

const banner = [
  `import { createRequire as topLevelCreateRequire } from 'module';`,
  `const require = topLevelCreateRequire(import.meta.url);`,
  `import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url"`,
  `const __filename = topLevelFileUrlToPath(import.meta.url)`,
  `const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url))`,
].join("\n");

/**
 * Builds a function's bundle the way `sst deploy` does for nodejs24.x: one ES module, or several where it is split,
 * source maps beside them (those that the answer names are not uploaded), the linked secrets encrypted in resource.enc.
 * A missing handler is an error of the answer, not a throw.
 */
export async function buildFunction(request: BuildRequest, root: string, artifacts: string): Promise<BuildAnswer> {
  const out = join(artifacts, `${request.functionID}-src`);
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const answer = { handler: `bundle${extname(request.handler)}`, out };
  const { files, metafile, errors } = await bundleOnce(request, root);
  if (!metafile) return { ...answer, errors, sourcemaps: [], exports: [] };
  for (const { path, contents } of files) await writeFile(join(out, basename(path)), contents);
  await writeFile(join(artifacts, `${request.functionID}.meta.json`), JSON.stringify(metafile));
  await writeFile(join(out, "resource.enc"), encryptLinks(request.links, request.encryptionKey));
  const maps = files.map(({ path }) => join(out, basename(path))).filter((path) => path.endsWith(".map"));
  const isNamed = request.properties.sourcemap === undefined;
  return {
    ...answer,
    errors,
    sourcemaps: isNamed ? maps : [],
    exports:
      Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint === sourceOf(request.handler))?.exports ?? [],
  };
}

type Bundled = { files: OutputFile[]; metafile: Metafile | null; errors: string[] };
const bundled = new Map<string, Promise<Bundled>>();

/**
 * The same handler with the same options gives the same bundle: a process builds it once, however many stages it
 * evaluates.
 */
function bundleOnce({ handler, properties }: BuildRequest, root: string): Promise<Bundled> {
  const key = JSON.stringify([root, handler, properties]);
  const known = bundled.get(key) ?? bundle(handler, properties, root);
  bundled.set(key, known);
  return known;
}

async function bundle(handler: string, properties: BuildRequest["properties"], root: string): Promise<Bundled> {
  const { minify, splitting, esbuild, install } = properties;
  const output = splitting
    ? { splitting, outdir: root, outExtension: { ".js": ".mjs" }, entryNames: "bundle" }
    : { outfile: "bundle.mjs" };
  try {
    const { outputFiles, metafile } = await build({
      absWorkingDir: root,
      entryPoints: [join(root, sourceOf(handler))],
      ...output,
      write: false,
      platform: "node",
      format: "esm",
      target: "es2024",
      bundle: true,
      minify: minify ?? false,
      keepNames: esbuild?.keepNames ?? true,
      sourcemap: "linked",
      metafile: true,
      mainFields: ["module", "main"],
      external: ["sharp", "pg-native", ...Object.keys(install ?? {}), ...(esbuild?.external ?? [])],
      banner: { js: banner },
      logLevel: "silent",
    });
    return { files: outputFiles, metafile, errors: [] };
  } catch (error) {
    const messages = (error as Partial<BuildFailure>).errors ?? [{ text: String(error) }];
    return { files: [], metafile: null, errors: messages.map(({ text }) => `${handler}: ${text}`) };
  }
}

/** The file of `folder/file.export`. */
function sourceOf(handler: string): string {
  return `${handler.slice(0, -extname(handler).length)}.ts`;
}

/** What stands in a bundle's resource.enc: the links' properties by name, under the key in SST_KEY (base64). */
export function encryptLinks(links: Record<string, unknown>, key: string): Buffer {
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "base64"), Buffer.alloc(12));
  return Buffer.concat([cipher.update(JSON.stringify(links)), cipher.final(), cipher.getAuthTag()]);
}
