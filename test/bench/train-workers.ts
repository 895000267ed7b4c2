import { join } from "node:path";
import { median } from "../../core/evaluation/summary.ts";
import type { TrainRequest } from "../../core/model/training.ts";
import { workerTrainer } from "../../functions/adapters/trainer.ts";
import { readReadings } from "../../functions/commands/csv-files.ts";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { humidity, temperature } from "../builders.ts";

const dataset = join(import.meta.dirname, "../../models/datasets/uci_appliances_energy.csv.gz");

type Timing = { wall: number; cpu: number };

/**
 * The same sensor, four months at ten minutes, trained `each` times by one worker, and as often by each of two at a
 * time: the same readings and seed, so the same work for each. In turns, `rounds` times after one to warm up; the
 * ratios are of two to one, CPU per sensor. With one each, the workers are fresh, and compile what they run on cores
 * that one worker leaves idle.
 */
export async function measureWorkers(build: EngineBuild, rounds: number, each: number) {
  const readings = (await readReadings(dataset, ["room1"])).sensors.get("room1")!;
  const request: TrainRequest = {
    ...{ sensorId: "room1", readings, targets: [temperature, humidity], stepSeconds: 600, horizon: 24, seed: 1 },
    ...{ now: new Date("2016-04-30T07:20:00Z"), codeVersion: "bench" },
  };
  const run = async (workers: number): Promise<Timing> => {
    const trainer = workerTrainer({ workers, build });
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    const results = await Promise.all(Array.from({ length: workers * each }, () => trainer.train(request)));
    for (const result of results) if (!result.ok) throw new Error(result.message);
    const used = process.cpuUsage(cpu);
    return { wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6 };
  };
  await run(1);
  const one: Timing[] = [];
  const two: Timing[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await run(1));
    two.push(await run(2));
  }
  const perPair = (of: (one: Timing, two: Timing) => number) => spread(one.map((timing, i) => of(timing, two[i]!)));
  return {
    ...{ sensor: "room1", rounds, sensorsEach: each, engine: `wasm ${build}`, node: process.version },
    oneWorker: summary(one),
    twoWorkers: summary(two),
    wallRatio: perPair((one, two) => two.wall / one.wall),
    cpuRatio: perPair((one, two) => two.cpu / (2 * one.cpu)),
  };
}

function summary(timings: Timing[]) {
  return {
    wallSeconds: spread(timings.map(({ wall }) => wall)),
    cpuSeconds: spread(timings.map(({ cpu }) => cpu)),
  };
}

function spread(values: number[]) {
  return { min: round(Math.min(...values)), median: round(median(values)) };
}

const round = (value: number) => Number(value.toPrecision(4));
