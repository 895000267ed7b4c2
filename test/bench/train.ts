// npm run bench:train [-- --peer] [--build relaxed|simd128] [--narrow] [--seconds N]: steps of training per second on
// one thread, as JSON. --peer runs PyTorch (if python3 has it) in turns with the engine, so that both meet the same
// machine. --fleet instead: steps of a fleet's network, by its number of sensors; with --sensors N a whole training of
// so many with four months at ten minutes, and what one more sensor takes.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import type { EngineBuild } from "../../models/engine/engine.ts";
import { detectBuild, detectWide, loadEngine } from "../../models/engine/load.ts";
import type { NetworkShape } from "../../models/layout.ts";
import { createNetwork } from "../../models/network.ts";
import { measureFleet, measureTraining } from "./train-fleet.ts";

const batch = 64;
const cases = [
  { name: "hidden 32, context 48", hidden: 32, contextLength: 48 },
  { name: "hidden 64, context 96", hidden: 64, contextLength: 96 },
];
const channels = 6;
const outputs = 144;

type Case = (typeof cases)[number];
type Timing = { wall: number; cpu: number };
type Runner = (steps: number) => Promise<Timing> | Timing;

const { values } = parseArgs({
  options: {
    peer: { type: "boolean" },
    fleet: { type: "boolean" },
    sensors: { type: "string" },
    build: { type: "string" },
    narrow: { type: "boolean" },
    seconds: { type: "string", default: "6" },
  },
});
const build: EngineBuild = values.build === "simd128" || values.build === "relaxed" ? values.build : detectBuild();
const wide = detectWide() && !values.narrow;

function startEngine({ hidden, contextLength }: Case): Runner {
  const shape: NetworkShape = {
    ...{ contextLength, channels, hidden, targets: 2, horizon: 24, quantiles: [0.1, 0.5, 0.9], linear: 0, extra: 0 },
    ...{ branchUnits: 0, branchLayers: 0, branchEmbedding: 0, branchDropout: 0 },
    ...{ sensors: 1, joinsHidden: false, contextFeatures: { from: 0, count: 0 }, contextDropout: 0, far: null },
  };
  const rows = batch;
  const random = (size: number) => Float32Array.from({ length: rows * size }, () => Math.random() * 2 - 1);
  const data = {
    ...{ rows, sequence: random(contextLength * channels), features: random(0), wanted: random(outputs / 3) },
    sensor: new Int32Array(rows),
  };
  const index = Int32Array.from({ length: rows }, (_, i) => i);
  const network = createNetwork(loadEngine(build, wide), shape);
  const options = { learningRate: 1e-3, weightDecay: 1e-4, clipNorm: 1, skipLearningRateFactor: 0.3 };
  return (steps) => {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    for (let step = 0; step < steps; step++) network.step(data, index, options);
    const used = process.cpuUsage(cpu);
    return { wall: (performance.now() - wall) / 1e3, cpu: (used.user + used.system) / 1e6 };
  };
}

/** Starts python3 with PyTorch, or gives null where it is not there. */
async function startPeer() {
  const script = join(import.meta.dirname, "train-peer.py");
  const child = spawn("python3", [script], { stdio: ["pipe", "pipe", "ignore"] });
  const failed = new Promise<null>((resolve) =>
    child.once("error", () => resolve(null)).once("exit", () => resolve(null)),
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const line = await Promise.race([lines.next(), failed]);
    return line?.value === undefined ? null : JSON.parse(String(line.value));
  };
  const hello = await read();
  if (!hello) return null;
  const runner = (from: Case): Runner => {
    return async (steps) => {
      child.stdin.write(`${JSON.stringify({ ...from, batch, channels, outputs, steps })}\n`);
      return (await read()) as Timing;
    };
  };
  return { engine: String(hello.engine), runner, stop: () => child.stdin.end() };
}

/** Fastest of several rounds in turns: the least disturbed one. */
async function measure(runners: Runner[], seconds: number) {
  const steps = await Promise.all(
    runners.map(async (run) => {
      await run(20);
      const { wall } = await run(20);
      return Math.max(5, Math.round((20 * 0.25) / wall));
    }),
  );
  const best = runners.map(() => ({ wall: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY }));
  const end = performance.now() + seconds * 1e3 * runners.length;
  do {
    for (const [i, run] of runners.entries()) {
      const timing = await run(steps[i] ?? 1);
      const [wall, cpu] = [timing.wall / (steps[i] ?? 1), timing.cpu / (steps[i] ?? 1)];
      best[i] = { wall: Math.min(best[i]?.wall ?? wall, wall), cpu: Math.min(best[i]?.cpu ?? cpu, cpu) };
    }
  } while (performance.now() < end);
  return best.map(({ wall, cpu }) => ({ stepsPerSecond: round(1 / wall), cpuMsPerStep: round(cpu * 1e3) }));
}

const round = (value: number) => Number(value.toPrecision(4));

async function compareSteps() {
  const peer = values.peer ? await startPeer() : null;
  const results = [];
  for (const current of cases) {
    const runners = [startEngine(current), ...(peer ? [peer.runner(current)] : [])];
    const [ours, theirs] = await measure(runners, Number(values.seconds));
    results.push({
      ...current,
      ...{
        batch,
        channels,
        outputs,
        threads: 1,
        engine: `wasm ${build}${wide ? ", 256 bits" : ""}`,
        node: process.version,
        ...ours,
      },
      ...(peer && ours && theirs
        ? { peer: { engine: peer.engine, ...theirs }, ratio: round(theirs.cpuMsPerStep / ours.cpuMsPerStep) }
        : {}),
    });
  }
  peer?.stop();
  const note = values.peer && !peer ? { peer: "python3 has no torch" } : {};
  return { ...note, results };
}

const steps = () => measureFleet(build, wide, [1, 9, 100, 1000]);
const whole = values.sensors ? () => measureTraining(Number(values.sensors)) : steps;
const figures = values.fleet ? await whole() : await compareSteps();
process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
