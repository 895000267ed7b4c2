import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import { ModelManifest } from "../../core/model/manifest.ts";

const sensorsFile = "sensors.json";

/** The manifests of all sensors whose fleets lie in `folder`; none when there is no such folder. */
export async function readFleetSensors(folder: string): Promise<ModelManifest[]> {
  const entries = await readdir(join(folder, "fleets"), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const all = await Promise.all(names.sort().map((name) => readSensors(join(folder, "fleets", name, sensorsFile))));
  return all.flat();
}

/** Writes beside a version the manifests of its sensors, by which a registry is filled. */
export async function writeFleetSensors(folder: string, fleetId: string, sensors: ModelManifest[]): Promise<void> {
  const target = join(folder, "fleets", fleetId);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await writeFile(join(target, sensorsFile), `${JSON.stringify(sensors)}\n`, { mode: 0o600 });
}

async function readSensors(file: string): Promise<ModelManifest[]> {
  const parsed = z.array(ModelManifest).safeParse(JSON.parse(await readFile(file, "utf8")));
  if (parsed.success) return parsed.data;
  throw new AppError("artefactRejected", `${file}: ${z.prettifyError(parsed.error)}`);
}
