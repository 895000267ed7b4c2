import type { BuiltFleet, FleetRequest, FleetResult } from "../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { detectBuild, loadEngine } from "../../models/engine/load.ts";
import { trainFleet } from "../../models/fleet/training.ts";
import { buildFleetVersion } from "../../models/fleet/version.ts";

/**
 * What is to be done; with a `codeVersion` the version is built that is stored. `build` null takes the fastest engine.
 */
export type FleetTask = { request: FleetRequest; build: EngineBuild | null; codeVersion: string | null };

/** A trained fleet; `built` only where it was asked for and there is one, and then without the networks. */
export type FleetDone = { result: FleetResult; built: BuiltFleet | null };

const progressEveryMs = 200;

/** Trains in the calling thread, which is busy for seconds; progress comes a few times a second. */
export async function trainFleetHere(
  { request, build, codeVersion }: FleetTask,
  onProgress: (progress: TrainProgress) => void,
): Promise<FleetDone> {
  const engine = loadEngine(build ?? detectBuild());
  let told = Number.NEGATIVE_INFINITY;
  const tell = (progress: TrainProgress) => {
    const now = performance.now();
    if (now - told < progressEveryMs && progress.done < progress.total) return;
    told = now;
    onProgress(progress);
  };
  const cpuSeconds = () => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1e6;
  };
  const result = trainFleet(engine, request, cpuSeconds, tell);
  if (codeVersion === null) return { result, built: null };
  const built = result.model && (await buildFleetVersion(engine, request, result.model, codeVersion));
  return { result: { ...result, model: null }, built };
}
