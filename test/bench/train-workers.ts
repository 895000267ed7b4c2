import { join } from "node:path";
import { median } from "../../core/evaluation/summary.ts";
import type { TrainRequest } from "../../core/ports.ts";
import { readReadings } from "../../functions/adapters/csv.ts";
import { workerTrainer } from "../../functions/adapters/trainer.ts";
import type { EngineBuild } from "../../models/engine/load.ts";
import { humidity, temperature } from "../builders.ts";

const dataset = join(import.meta.dirname, "../../models/datasets/uci_appliances_energy.csv.gz");

type Timing = { wall: number; cpu: number };

/**
 * The same sensor, four months at ten minutes, trained by one worker, and twice by two at a time: the same readings and seed, so
 * the same work for each. In turns, `rounds` times after one to warm up; the ratios are of two to one, CPU per sensor.
 */
export async function measureWorkers(build: EngineBuild, rounds: number) {
  const readings = (await readReadings(dataset, ["room1"])).sensors.get("room1")!;
  const request: TrainRequest = {
    ...{ sensorId: "room1", readings, targets: [temperature, humidity], stepSeconds: 600, horizon: 24, seed: 1 },
    ...{ now: new Date("2016-04-30T07:20:00Z"), codeVersion: "bench" },
  };
  const run = async (sensors: number): Promise<Timing> => {
    const trainer = workerTrainer({ workers: sensors, build });
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    const results = await Promise.all(Array.from({ length: sensors }, () => trainer.train(request)));
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
    ...{ sensor: "room1", rounds, engine: `wasm ${build}`, node: process.version },
    oneSensor: summary(one),
    twoSensors: summary(two),
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
