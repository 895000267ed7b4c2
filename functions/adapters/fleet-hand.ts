import { parentPort } from "node:worker_threads";
import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { Untrained } from "../../core/model/training.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { loadEngine } from "../../models/engine/load.ts";
import type { FleetData } from "../../models/fleet/dataset.ts";
import { fitFleetNetwork } from "../../models/fleet/fit.ts";
import type { FleetPrior } from "../../models/fleet/prior.ts";
import { prepareTeacher, type Teacher } from "../../models/fleet/sensor.ts";
import { shareTeacher } from "../../models/fleet/shared.ts";
import type { GriddedSensor } from "../../models/fleet/training.ts";

/** What one of several threads does of a training. `done` [1] is where the others see how far a network is. */
export type HandTask =
  | { kind: "network"; data: FleetData; seed: number; build: EngineBuild; done: Int32Array }
  | { kind: "sensors"; encoding: FleetEncoding; sensors: GriddedSensor[]; prior: FleetPrior | null };

/** What came of a task of each kind. */
export type HandDone = { network: Float32Array; sensors: (Teacher | Untrained)[] };

/** What the thread answers, once. */
export type HandMessage =
  | { kind: "done"; result: HandDone[HandTask["kind"]]; cpuSeconds: number }
  | { kind: "fault"; message: string };

function work(task: HandTask): HandDone[HandTask["kind"]] {
  if (task.kind === "network") {
    const { data, seed, build, done } = task;
    return fitFleetNetwork(loadEngine(build), data, seed, (steps) => Atomics.store(done, 0, steps));
  }
  const { encoding, sensors, prior } = task;
  return sensors.map(({ sensor, grid }) => {
    const made = prepareTeacher(encoding, sensor, grid, prior);
    if (!("reason" in made)) shareTeacher(made);
    return made;
  });
}

parentPort?.once("message", (task: HandTask) => {
  const post = (message: HandMessage) => parentPort?.postMessage(message);
  try {
    const result = work(task);
    const { user, system } = process.threadCpuUsage();
    post({ kind: "done", result, cpuSeconds: (user + system) / 1e6 });
  } catch (error) {
    post({ kind: "fault", message: error instanceof Error ? error.message : String(error) });
  }
});
