import { createCipheriv } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { build } from "esbuild";

/** What SST's platform asks its command line to build; the parts that a Node function uses. */
export type BuildRequest = {
  functionID: string;
  handler: string;
  encryptionKey: string;
  links: Record<string, unknown>;
  properties: { minify?: boolean; esbuild?: { external?: string[] }; install?: Record<string, string> };
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
 * Builds a function's bundle the way `sst deploy` does for nodejs24.x: one ES module, source maps beside it that are not
 * uploaded, the linked secrets encrypted in resource.enc. A missing handler is an error of the answer, not a throw.
 */
export async function buildFunction(request: BuildRequest, root: string, artifacts: string): Promise<BuildAnswer> {
  const out = join(artifacts, `${request.functionID}-src`);
  const entry = join(root, `${request.handler.slice(0, -extname(request.handler).length)}.ts`);
  const answer = {
    handler: `bundle${extname(request.handler)}`,
    out,
    errors: [] as string[],
    sourcemaps: [] as string[],
    exports: [] as string[],
  };
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const { minify, esbuild, install } = request.properties;
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(out, "bundle.mjs"),
    platform: "node",
    format: "esm",
    target: "es2024",
    bundle: true,
    minify: minify ?? false,
    keepNames: true,
    sourcemap: "linked",
    metafile: true,
    mainFields: ["module", "main"],
    external: ["sharp", "pg-native", ...Object.keys(install ?? {}), ...(esbuild?.external ?? [])],
    banner: { js: banner },
    logLevel: "silent",
  }).catch((error: { errors?: { text: string }[] }) => ({ errors: error.errors ?? [{ text: String(error) }] }));
  if (result.errors.length > 0)
    return { ...answer, errors: result.errors.map(({ text }) => `${request.handler}: ${text}`) };
  if ("metafile" in result && result.metafile) {
    answer.sourcemaps = Object.keys(result.metafile.outputs)
      .filter((file) => file.endsWith(".map"))
      .map((file) => join(out, basename(file)));
    answer.exports = Object.values(result.metafile.outputs).flatMap((output) => output.exports);
    await writeFile(join(artifacts, `${request.functionID}.meta.json`), JSON.stringify(result.metafile));
  }
  await writeFile(join(out, "resource.enc"), encryptLinks(request.links, request.encryptionKey));
  return answer;
}

/** What stands in a bundle's resource.enc: the links' properties by name, under the key in SST_KEY (base64). */
export function encryptLinks(links: Record<string, unknown>, key: string): Buffer {
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(key, "base64"), Buffer.alloc(12));
  return Buffer.concat([cipher.update(JSON.stringify(links)), cipher.final(), cipher.getAuthTag()]);
}
