import type { FleetEncoding } from "../../core/model/fleet/encoding.ts";
import type { SensorPart } from "../../core/model/fleet/part.ts";
import type { Engine } from "../engine/engine.ts";
import { type NetworkShape, parameterLayout } from "../layout.ts";
import { createNetwork } from "../network.ts";
import { roundFirstLayer } from "../onnx/whole.ts";
import { createRandom } from "../random.ts";
import { createRowEncoder, drawFleetBatches, type FleetData, fleetShape, shuffle, widthsOf } from "./dataset.ts";
import { fleetLearningRate, fleetPolicy, fleetSteps } from "./policy.ts";

/** Batches encoded together. */
const batchesAtOnce = 16;

/** Steps of one fit of this data. */
export function stepsOf({ trainees }: FleetData): number {
  return fleetSteps(trainees.reduce((sum, { origins }) => sum + origins.length, 0));
}

/**
 * The averaged weights of one network, fitted once on all rows of all trainees; skips in the order of the trainees.
 * The fewer days have taught it, the less counts what the far head says (the rest is ridge), and the wider are the
 * bands. The first layer is rounded as it will be stored: what is judged is what will be served. `onStep` hears of each
 * step's loss and of the number done. Throws badInput "diverged: ...".
 */
export function fitFleetNetwork(
  engine: Engine,
  data: FleetData,
  seed: number,
  onStep: (done: number, loss: number) => void,
): Float32Array {
  const { trainees } = data;
  const steps = stepsOf(data);
  const network = createNetwork(engine, fleetShape(data.encoding, trainees.length));
  try {
    network.reset(seed, widthsOf(data.trainees));
    const draw = drawFleetBatches(
      trainees.map(({ origins }) => origins.length),
      seed,
    );
    const encode = createRowEncoder(data, batchesAtOnce * fleetPolicy.batchRows);
    const { weightDecay, clipNorm, skipLearningRateFactor, averageDecay, rowUses } = fleetPolicy;
    const random = createRandom(seed ^ 0x6a09e667);
    for (let first = 0; first < steps; first += batchesAtOnce * rowUses) {
      const left = Math.min(batchesAtOnce * rowUses, steps - first);
      const batches = Math.ceil(left / rowUses);
      const rows = encode(draw(batches));
      for (const [i, index] of usesOf(rows.rows, batches, random).slice(0, left).entries()) {
        const step = first + i;
        const learningRate = fleetLearningRate(step, steps);
        const loss = network.step(rows, index, { learningRate, weightDecay, clipNorm, skipLearningRateFactor });
        network.average(Math.min(averageDecay, (step + 1) / (step + 10)));
        onStep(step + 1, loss);
      }
    }
    const weights = trustFar(network.shape, network.weights(true), daysOf(data));
    return roundFirstLayer(network.shape, widenBands(network.shape, weights, data));
  } finally {
    network.dispose();
  }
}

/** Batches of encoded rows, each row in `rowUses` of them: as they were drawn, and then in another order. */
function usesOf(rows: number, batches: number, random: () => number): Int32Array[] {
  const size = rows / batches;
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  return Array.from({ length: fleetPolicy.rowUses }, (_, use) => {
    if (use > 0) shuffle(order, random);
    return Array.from({ length: batches }, (_, batch) => order.slice(batch * size, (batch + 1) * size));
  }).flat();
}

/** Days that the trainees' windows span, in the mean. */
function daysOf({ encoding, trainees }: FleetData): number {
  return (stepsSpanned(trainees) * encoding.stepSeconds) / 86_400;
}

/** Steps that the trainees' windows span, in the mean. */
function stepsSpanned(trainees: { origins: Int32Array }[]): number {
  const spans = trainees.map(({ origins }) => origins.at(-1)! - origins[0]! + 1);
  return spans.reduce((sum, span) => sum + span, 0) / spans.length;
}

/** The weights with the far head's last layer shrunk, after `days` of teaching. */
export function trustFar(shape: NetworkShape, weights: Float32Array, days: number): Float32Array {
  const trust = days / (days + fleetPolicy.farDays);
  const last = parameterLayout(shape).filter(({ name }) => name.startsWith("far.out."));
  for (const { offset, size } of last) for (let i = offset; i < offset + size; i++) weights[i]! *= trust;
  return weights;
}

/** What tells how many runs of what a forecast leaves a network has learnt its bands from. */
type TaughtBands = {
  encoding: Pick<FleetEncoding, "leads" | "stepSeconds">;
  trainees: { origins: Int32Array; part: Pick<SensorPart, "widths"> }[];
};

/**
 * The weights with wider bands of the near leads: what the network leaves of rows that it has learnt is less than what
 * it will leave. Forecasts overlap, and what they leave comes in runs as long as their lead, of days at most: the
 * factor is the root of 1 + `bandRuns` / runs that the rows span. Exact where a band is as wide as it started; less is
 * made of the network's wide ones and more of its narrow ones.
 */
export function widenBands(
  shape: NetworkShape,
  weights: Float32Array,
  { encoding, trainees }: TaughtBands,
): Float32Array {
  const { targets, horizon, quantiles } = shape;
  const steps = stepsSpanned(trainees);
  const longest = Math.max(1, (fleetPolicy.longestRunDays * 86_400) / encoding.stepSeconds);
  const started = widthsOf(trainees);
  const gaps = quantiles.length - 1;
  const each = started.length / trainees.length;
  const name = shape.branchUnits > 0 ? "branch.out.bias" : "head.bias";
  const { offset } = parameterLayout(shape).find((tensor) => tensor.name === name)!;
  for (let at = 0; at < each; at++) {
    const [h, k, gap] = [Math.floor(at / gaps / targets), Math.floor(at / gaps) % targets, at % gaps];
    if (h >= horizon) break;
    const width = trainees.reduce((sum, _, i) => sum + started[i * each + at]!, 0) / trainees.length;
    const run = Math.min(encoding.leads[h]!, longest);
    const wider = Math.sqrt(1 + (fleetPolicy.bandRuns * run) / steps);
    weights[offset + ((1 + gap) * targets + k) * horizon + h]! += widened(width, wider) - width;
  }
  return weights;
}

/** The width before softplus that comes to so many times as much behind it. */
function widened(width: number, wider: number): number {
  return Math.log(Math.expm1(wider * Math.log1p(Math.exp(width))));
}
