import { expect, test } from "vitest";
import { toEncodedSensor, writeRow } from "../../../core/model/fleet/encode.ts";
import { featurePlaces, fleetEncoding, sequenceChannels } from "../../../core/model/fleet/encoding.ts";
import { ridgeErrors } from "../../../core/model/fleet/errors.ts";
import { prepare, withDayMeans } from "../../../core/model/history.ts";
import { crossMemory } from "../../../models/fleet/cross-memory.ts";
import { fitPart } from "../../../models/fleet/part.ts";
import { leads, someGrid, stepSeconds } from "../../core/model/fleet/builders.ts";

const pressure = { name: "pressure", unit: "Pa", min: 0, max: 4e9 };
const length = 24 * 40;

/** What the network sees at the newest point of a sensor that stands at `level`, and the part that was fitted to it. */
function rowAt(level: number) {
  const encoding = fleetEncoding([pressure], stepSeconds, leads, length);
  const [column] = someGrid(length).columns;
  // In 1024ths, which a float64 holds at ten millions and a float32 does not at one.
  const columns = [column!.map((value) => Math.round(value * 1024) / 1024 + level)];
  const history = withDayMeans(prepare({ ...someGrid(length), columns }, encoding.features.links));
  const fit = fitPart(encoding, "a", history, Math.floor((7 * length) / 8), length)!;
  const { part } = fit;
  const memory = crossMemory(encoding, fit);
  const encoded = toEncodedSensor(encoding, history, part, ridgeErrors(history, memory, encoding, part));
  const sequence = new Float32Array(encoding.contextLength * sequenceChannels(encoding));
  const features = new Float32Array(featurePlaces(encoding).count);
  writeRow(encoding, encoded, length - 1, [], sequence, 0, features, 0);
  return { sequence, features, places: featurePlaces(encoding), part };
}

test.each([1e6, 1e7])("a sensor that stands at %d is trained and encoded as one near zero", (level) => {
  const [near, far] = [rowAt(0), rowAt(level)];
  const { scaler } = far.part;
  // A part is stored as float32.
  expect(Math.fround(scaler.mean[0]!)).toBe(scaler.mean[0]);
  expect(Math.fround(scaler.branch.center[0]!)).toBe(scaler.branch.center[0]);
  const spread = near.part.scaler.deviation[0]!;
  const shift = (far.part.scaler.mean[0]! - level - near.part.scaler.mean[0]!) / spread;
  for (let i = 0; i < near.places.constants; i++) {
    // The level and what it is a feature of are told from a mean that float32 holds.
    expect(Math.abs(far.features[i]! - near.features[i]!)).toBeLessThan(Math.abs(shift) + 1e-4);
  }
  near.sequence.forEach((value, i) => {
    expect(far.sequence[i]).toBeCloseTo(value, 3);
  });
  near.part.residualScale.forEach((value, i) => {
    expect(far.part.residualScale[i]! / value).toBeCloseTo(1, 3);
  });
});
