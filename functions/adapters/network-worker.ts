import { parentPort } from "node:worker_threads";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { loadEngine } from "../../models/engine/load.ts";
import type { FleetData } from "../../models/fleet/dataset.ts";
import { fitFleetNetwork } from "../../models/fleet/fit.ts";

/** One network to be fitted; `done` [1] is where the others see how far it is. */
export type NetworkTask = { data: FleetData; seed: number; build: EngineBuild; done: Int32Array };

/** What the worker answers, once. */
export type NetworkMessage = { network: Float32Array; cpuSeconds: number } | { fault: string };

parentPort?.once("message", ({ data, seed, build, done }: NetworkTask) => {
  const post = (message: NetworkMessage) => parentPort?.postMessage(message);
  try {
    const network = fitFleetNetwork(loadEngine(build), data, seed, (steps) => Atomics.store(done, 0, steps));
    const { user, system } = process.threadCpuUsage();
    post({ network, cpuSeconds: (user + system) / 1e6 });
  } catch (error) {
    post({ fault: error instanceof Error ? error.message : String(error) });
  }
});
