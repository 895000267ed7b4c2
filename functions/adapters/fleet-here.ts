import type {
  BuiltFleet,
  BuiltParts,
  FleetRequest,
  FleetResult,
  PartsRequest,
  RenewRequest,
} from "../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { detectBuild, loadEngine } from "../../models/engine/load.ts";
import { fitParts } from "../../models/fleet/parts.ts";
import { renewParts } from "../../models/fleet/renew.ts";
import { fitInTurn, prepareInTurn, trainFleet } from "../../models/fleet/training.ts";
import { buildFleetVersion } from "../../models/fleet/version.ts";
import { crewOf } from "./fleet-crew.ts";

/**
 * What is to be done: train a fleet; train it and build the version that is stored; fit sensors to a version; renew
 * their parts. `build` null takes the fastest engine.
 */
export type FleetTask =
  | ({ kind: "train"; request: FleetRequest } & Making)
  | ({ kind: "version"; request: FleetRequest; codeVersion: string } & Making)
  | { kind: "parts"; request: PartsRequest }
  | { kind: "renewal"; request: RenewRequest };

/** By which engine, and by how many threads at most. */
type Making = { build: EngineBuild | null; threads: number };

/** What came of a task of each kind. */
export type FleetDone = {
  train: FleetResult;
  version: { fleet: BuiltFleet | null; refused: FleetResult["refused"] };
  parts: BuiltParts;
  renewal: BuiltParts;
};

const progressEveryMs = 200;

/** Works in the calling thread, which is busy for seconds; progress comes a few times a second. */
export async function workHere(
  task: FleetTask,
  onProgress: (progress: TrainProgress) => void,
): Promise<FleetDone[FleetTask["kind"]]> {
  if (task.kind === "parts") return fitParts(task.request, cpuSeconds);
  if (task.kind === "renewal") return renewParts(task.request, cpuSeconds);
  const build = task.build ?? detectBuild();
  const engine = loadEngine(build);
  const crew =
    task.threads > 1
      ? crewOf(engine, build, task.threads, cpuSeconds)
      : { prepareSensors: prepareInTurn, fitNetworks: fitInTurn(engine), cpuSeconds };
  let told = Number.NEGATIVE_INFINITY;
  const tell = (progress: TrainProgress) => {
    const now = performance.now();
    if (now - told < progressEveryMs && progress.done < progress.total) return;
    told = now;
    onProgress(progress);
  };
  const { model, prior, refused } = await trainFleet(crew, task.request, tell);
  if (task.kind === "train") return { model, refused };
  const fleet = model && (await buildFleetVersion(engine, task.request, model, prior, task.codeVersion));
  return { fleet, refused };
}

function cpuSeconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
}
