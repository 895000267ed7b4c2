import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";
import type { Engine, EngineBuild } from "../../models/engine/engine.ts";
import { fitFleetNetwork, stepsOf } from "../../models/fleet/fit.ts";
import { shareFleetData } from "../../models/fleet/shared.ts";
import { type FitNetworks, fitInTurn } from "../../models/fleet/training.ts";
import type { NetworkMessage, NetworkTask } from "./network-worker.ts";

const workerFile = new URL("./network-worker.ts", import.meta.url);
const lookEveryMs = 200;

/**
 * The first network in this thread, each other beside it on one of its own: the same weights as in turn. In a bundle,
 * without the worker's file, in turn.
 */
export function fitBeside(engine: Engine, build: EngineBuild): FitNetworks {
  if (!existsSync(workerFile)) return fitInTurn(engine);
  return async (data, [first, ...others], onProgress) => {
    const each = stepsOf(data);
    const shared = shareFleetData(data);
    const beside = others.map((seed) => {
      const done = new Int32Array(new SharedArrayBuffer(4));
      return { done, ...startFit({ data: shared, seed, build, done }) };
    });
    let own = { done: 0, loss: Number.NaN };
    const tell = () => {
      const elsewhere = beside.reduce((sum, { done }) => sum + Atomics.load(done, 0), 0);
      onProgress({ done: own.done + elsewhere, total: (1 + others.length) * each, loss: own.loss });
    };
    const looking = setInterval(tell, lookEveryMs);
    try {
      const network = fitFleetNetwork(engine, shared, first!, (done, loss) => {
        own = { done, loss };
        tell();
      });
      const fitted = await Promise.all(beside.map(({ result }) => result));
      tell();
      const cpuSecondsElsewhere = fitted.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
      return { networks: [network, ...fitted.map((one) => one.network)], cpuSecondsElsewhere };
    } finally {
      clearInterval(looking);
      await Promise.all(beside.map(({ stop }) => stop()));
    }
  };
}

function startFit(task: NetworkTask) {
  const worker = new Worker(workerFile);
  const { promise: result, resolve, reject } = Promise.withResolvers<{ network: Float32Array; cpuSeconds: number }>();
  worker.on("message", (message: NetworkMessage) => {
    if ("network" in message) resolve(message);
    else reject(new AppError("badInput", message.fault));
  });
  worker.on("error", (cause) => reject(new AppError("internal", `a network's worker failed: ${cause}`, { cause })));
  worker.on("exit", (code) => reject(new AppError("internal", `a network's worker ended with ${code} and no result`)));
  // Whoever fits beside it may fail first and never ask.
  result.catch(() => {});
  worker.postMessage(task);
  return { result, stop: () => worker.terminate() };
}
