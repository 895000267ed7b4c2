import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";
import type { Engine, EngineBuild } from "../../models/engine/engine.ts";
import { fitFleetNetwork, stepsOf } from "../../models/fleet/fit.ts";
import { shareFleetData } from "../../models/fleet/shared.ts";
import {
  type Crew,
  type FitNetworks,
  fitInTurn,
  type PrepareSensors,
  prepareInTurn,
} from "../../models/fleet/training.ts";
import type { HandDone, HandMessage, HandTask } from "./fleet-hand.ts";

const handFile = new URL("./fleet-hand.ts", import.meta.url);
const lookEveryMs = 200;

/**
 * So many threads, this one among them, each with its share of the sensors and with a network: the same numbers as in
 * turn. In a bundle, without the other threads' file, in turn. `ownCpuSeconds`: of this thread.
 */
export function crewOf(engine: Engine, build: EngineBuild, threads: number, ownCpuSeconds: () => number): Crew {
  const hands = existsSync(handFile) ? threads - 1 : 0;
  let elsewhere = 0;
  const count = (cpuSeconds: number) => {
    elsewhere += cpuSeconds;
  };
  return {
    prepareSensors: hands === 0 ? prepareInTurn : prepareBeside(hands, count),
    fitNetworks: hands === 0 ? fitInTurn(engine) : fitBeside(engine, build, count),
    cpuSeconds: () => ownCpuSeconds() + elsewhere,
  };
}

type CountCpu = (seconds: number) => void;

function prepareBeside(hands: number, count: CountCpu): PrepareSensors {
  return async (encoding, sensors, prior) => {
    // Neighbours in the list go to different threads: their histories may be of one length.
    const shareOf = (hand: number) => sensors.filter((_, i) => i % (hands + 1) === hand);
    const others = Array.from({ length: hands }, (_, hand) => shareOf(hand + 1)).filter(({ length }) => length > 0);
    const beside = others.map((some) => hire<"sensors">({ kind: "sensors", encoding, sensors: some, prior }, count));
    try {
      const own = await prepareInTurn(encoding, shareOf(0), prior);
      const made = [own, ...(await Promise.all(beside.map(({ result }) => result)))];
      return sensors.map((_, i) => made[i % (hands + 1)]![Math.floor(i / (hands + 1))]!);
    } finally {
      await Promise.all(beside.map(({ stop }) => stop()));
    }
  };
}

function fitBeside(engine: Engine, build: EngineBuild, count: CountCpu): FitNetworks {
  return async (data, [first, ...others], onProgress) => {
    const each = stepsOf(data);
    const shared = shareFleetData(data);
    const beside = others.map((seed) => {
      const done = new Int32Array(new SharedArrayBuffer(4));
      return { done, ...hire<"network">({ kind: "network", data: shared, seed, build, done }, count) };
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
      const networks = [network, ...(await Promise.all(beside.map(({ result }) => result)))];
      tell();
      return networks;
    } finally {
      clearInterval(looking);
      await Promise.all(beside.map(({ stop }) => stop()));
    }
  };
}

/** Has another thread do the task. */
function hire<Kind extends HandTask["kind"]>(task: HandTask & { kind: Kind }, count: CountCpu) {
  const worker = new Worker(handFile);
  const { promise: result, resolve, reject } = Promise.withResolvers<HandDone[Kind]>();
  worker.on("message", (message: HandMessage) => {
    if (message.kind === "fault") return reject(new AppError("badInput", message.message));
    count(message.cpuSeconds);
    // What comes of a task is of its kind.
    resolve(message.result as HandDone[Kind]);
  });
  worker.on("error", (cause) => reject(new AppError("internal", `a training's thread failed: ${cause}`, { cause })));
  worker.on("exit", (code) => reject(new AppError("internal", `a training's thread ended with ${code} and no result`)));
  // Whoever works beside it may fail first and never ask.
  result.catch(() => {});
  worker.postMessage(task);
  return { result, stop: () => worker.terminate() };
}
