import { expect, test } from "vitest";
import { featurePlaces } from "../../../core/model/fleet/encoding.ts";
import type { FleetRequest } from "../../../core/model/fleet/training.ts";
import { everyLead } from "../../../core/model/leads.ts";
import { loadEngine } from "../../../models/engine/load.ts";
import { fleetShape } from "../../../models/fleet/dataset.ts";
import { fitFleetNetwork, stepsOf, trustFar } from "../../../models/fleet/fit.ts";
import { prepareFleet } from "../../../models/fleet/training.ts";
import { featureCount, parameterLayout, rowFeatures } from "../../../models/layout.ts";
import { humidity, readingsOf, temperature, wave } from "../../builders.ts";
import { buildShape, buildWeights, relativeDifference } from "../engine/builders.ts";

const stepSeconds = 3600;
const hours = 24 * 45;

/** Three sensors; of one, an hour in five is missing, and the last day. */
function requestOf(leads: number[]): FleetRequest {
  const sensors = ["attic", "cellar", "hall"].map((sensorId, i) => {
    const options = { stepsPerDay: 24, seed: i };
    const columns = {
      temperature: wave(hours, options),
      humidity: wave(hours, { ...options, mean: 50, seed: 50 + i }),
    };
    const isThere = (at: number) => i !== 1 || (at % 5 !== 0 && at < hours - 24);
    const cut = (values: (number | null)[]) => values.map((value, at) => (isThere(at) ? value : null));
    const some = { temperature: cut([...columns.temperature]), humidity: cut([...columns.humidity]) };
    return { sensorId, readings: readingsOf(some, { stepSeconds }) };
  });
  const last = Math.max(...sensors.map(({ readings }) => readings.at.at(-1)!));
  return { sensors, targets: [temperature, humidity], stepSeconds, leads, seed: 3, now: new Date(last) };
}

async function train(leads: number[]) {
  const prepared = await prepareFleet(requestOf(leads));
  if (!("data" in prepared)) throw new Error("nothing to learn from");
  const { data, members } = prepared;
  const steps: number[] = [];
  const weights = fitFleetNetwork(loadEngine("simd128"), data, 7, (done) => steps.push(done));
  // Not a whole number of encoded blocks: the last one is cut short.
  expect(steps).toEqual(Array.from({ length: stepsOf(data) }, (_, i) => i + 1));
  return {
    members,
    rows: data.trainees.map(({ origins }) => origins.length),
    shape: fleetShape(data.encoding, members.length),
    places: featurePlaces(data.encoding),
    weights,
  };
}

test("a fleet's near leads are learnt as if there were no far ones", async () => {
  const [near, both] = [await train(everyLead(8)), await train([...everyLead(8), 12, 16, 20, 24])];
  expect(both.shape.far!.horizon).toBe(4);
  expect(featureCount(both.shape)).toBe(featureCount(near.shape));
  expect(rowFeatures(both.shape)).toBe(both.places.count);
  expect(both.rows).toEqual(near.rows);
  expect(both.shape).toEqual({ ...near.shape, far: both.shape.far });
  expect(both.members.map(({ validation }) => validation[0]!.mae)).toEqual(
    near.members.map(({ validation }) => expect.closeTo(validation[0]!.mae, 9)),
  );
  // Ridge's sums are added up in another order; nothing else may differ.
  const shared = both.weights.subarray(0, near.weights.length);
  expect(relativeDifference(shared, near.weights)).toBeLessThan(1e-4);
  expect(both.weights.subarray(near.weights.length).some((weight) => weight !== 0)).toBe(true);
}, 60_000);

test("what the far head says counts for less the fewer days have taught it, and nothing else does", () => {
  const shape = buildShape({ far: { horizon: 3, features: [1], units: 5 } });
  const before = buildWeights(shape, 4);
  for (const [days, trust] of [
    [0, 0],
    [150, 0.5],
    [450, 0.75],
  ] as const) {
    const after = trustFar(shape, before.slice(), days);
    for (const { name, offset, size } of parameterLayout(shape)) {
      const factor = name.startsWith("far.out.") ? trust : 1;
      const expected = before.subarray(offset, offset + size).map((weight) => factor * weight);
      expect(after.subarray(offset, offset + size), name).toEqual(expected);
    }
  }
});
