import { AppError } from "../../errors.ts";
import { sha256Of } from "../sha256.ts";
import type { ArtefactFiles } from "./files.ts";
import { decodeTensors, encodeTensors } from "./tensor-file.ts";

/** Where a sensor's part lies: in which pack, and the SHA-256 of its own bytes. */
export type PartPlace = { sensorId: string; pack: string; digest: string };

const pathOf = (pack: string) => `packs/${pack}.safetensors`;

/**
 * Stores parts that are read together as one file, named after its SHA-256; where each lies. Twice the same is a no-op.
 */
export async function savePack(
  files: ArtefactFiles,
  parts: { sensorId: string; bytes: Uint8Array }[],
): Promise<PartPlace[]> {
  const digested = await Promise.all(parts.map(async (part) => ({ ...part, digest: await sha256Of(part.bytes) })));
  const bytes = encodeTensors(
    digested.map(({ digest, bytes: values }) => ({ name: digest, type: "U8", dims: [values.length], values })),
    {},
  );
  const pack = await sha256Of(bytes);
  await files.write(pathOf(pack), bytes);
  return digested.map(({ sensorId, digest }) => ({ sensorId, pack, digest }));
}

/**
 * The bytes of parts by digest, one read a pack. A part that is missing, or whose bytes are not those of its digest, is
 * an AppError in its place (notFound, artefactRejected): it costs the others nothing.
 */
export async function loadParts(
  files: ArtefactFiles,
  places: PartPlace[],
): Promise<Map<string, Uint8Array | AppError>> {
  const loaded = new Map<string, Uint8Array | AppError>();
  const byPack = Map.groupBy(places, ({ pack }) => pack);
  const reading = [...byPack].map(async ([pack, wanted]) => {
    const found = await readPack(files, pack);
    for (const { sensorId, digest } of wanted) {
      const bytes = found instanceof AppError ? found : found.get(digest)?.values;
      loaded.set(digest, await checkPart(`part ${digest} of sensor ${sensorId}`, bytes, digest));
    }
  });
  await Promise.all(reading);
  return loaded;
}

async function checkPart(what: string, bytes: unknown, digest: string): Promise<Uint8Array | AppError> {
  if (bytes instanceof AppError) return bytes;
  if (!(bytes instanceof Uint8Array)) return new AppError("notFound", `${what} is not in its pack`);
  const actual = await sha256Of(bytes);
  return actual === digest ? bytes : new AppError("artefactRejected", `${what} has sha256 ${actual}`);
}

async function readPack(files: ArtefactFiles, pack: string) {
  const bytes = await files.read(pathOf(pack));
  if (bytes === null) return new AppError("notFound", `pack ${pack} is not in the model store`);
  try {
    return decodeTensors(`pack ${pack}`, bytes).tensors;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
