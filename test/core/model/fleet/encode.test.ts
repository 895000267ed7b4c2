import { describe, expect, test } from "vitest";
import { linearOf, toEncodedSensor, writeRow } from "../../../../core/model/fleet/encode.ts";
import {
  constantCount,
  errorMemoryLength,
  farColumns,
  farFeatures,
  featurePlaces,
  fleetEncoding,
  sequenceChannels,
} from "../../../../core/model/fleet/encoding.ts";
import { ridgeErrors, withSums, writeErrors } from "../../../../core/model/fleet/errors.ts";
import { choosePanel, writeNeighbours } from "../../../../core/model/fleet/neighbours.ts";
import { recallRidge, rememberRidge } from "../../../../core/model/fleet/recall.ts";
import { ridgeAtErrorLeads } from "../../../../core/model/fleet/ridge.ts";
import { prepare } from "../../../../core/model/history.ts";
import { defaultLeads, everyLead, splitLeads } from "../../../../core/model/leads.ts";
import { encoding, fitted, leads, someGrid, stepSeconds, targets } from "./builders.ts";

const { grid, history, fit } = fitted(someGrid(24 * 40));
const neighbour = (sensorId: string, seed: number) => {
  const other = fitted(someGrid(24 * 40, seed), sensorId);
  return { sensorId, history: other.history, change: other.fit.part.scaler.change };
};
const panel = [neighbour("b", 2), neighbour("c", 3)];

function rowAt(origin: number, of = grid, some = panel) {
  const past = prepare(of, encoding.features.links);
  const memory = rememberRidge(past, fit.part, encoding, origin, null);
  const sensor = toEncodedSensor(encoding, past, fit.part, ridgeErrors(past, memory, encoding, fit.part));
  const sequence = new Float32Array(encoding.contextLength * sequenceChannels(encoding));
  const features = new Float32Array(featurePlaces(encoding).count);
  const known = writeRow(encoding, sensor, origin, some, sequence, 0, features, 0);
  return { sequence, features, known };
}

describe("the row of a sensor", () => {
  test("has 262 features and 22 channels for two targets and 24 leads", () => {
    expect(featurePlaces(encoding)).toEqual({
      extra: 126,
      constants: 152,
      errors: 169,
      path: 229,
      neighbours: 245,
      count: 262,
    });
    expect(sequenceChannels(encoding)).toBe(22);
    expect(fit.part.constants.length).toBe(constantCount(encoding));
  });

  test("looks at nothing after the origin, of no sensor", () => {
    const origin = 800;
    const spoil = (values: Float64Array) => values.map((value, i) => (i > origin ? value + 7 : value));
    const later = { ...grid, columns: grid.columns.map(spoil) };
    const others = panel.map((one) => ({
      ...one,
      history: prepare({ ...grid, columns: one.history.values.map(spoil) }, ["identity", "identity"]),
    }));
    const honest = panel.map((one) => ({
      ...one,
      history: prepare({ ...grid, columns: one.history.values }, ["identity", "identity"]),
    }));
    expect(rowAt(origin, later, others)).toEqual(rowAt(origin, grid, honest));
    expect(rowAt(origin + 24, later, others)).not.toEqual(rowAt(origin + 24, grid, honest));
  });

  test("is finite with the second target missing, and says how many neighbours there were", () => {
    const lonely = { ...grid, columns: [grid.columns[0]!, new Float64Array(grid.columns[0]!.length).fill(Number.NaN)] };
    const { features, sequence, known } = rowAt(900, lonely);
    expect([...features, ...sequence].every(Number.isFinite)).toBe(true);
    expect(known).toBe(2);
  });
});

describe("ridge's errors", () => {
  const weights = ridgeAtErrorLeads(fit.part, encoding);

  test("are the same remembered as worked out anew", () => {
    let memory = rememberRidge(history, fit.part, encoding, 700, null);
    for (const origin of [701, 702, 760]) memory = rememberRidge(history, fit.part, encoding, origin, memory);
    expect(memory).toEqual(rememberRidge(history, fit.part, encoding, 760, null));
    expect(memory.changes.length).toBe(errorMemoryLength(encoding) * 2 * encoding.errorLeads.length);
  });

  test("are actual minus forecast over the error scale, and unknown where either end was not measured", () => {
    const gappy = {
      ...grid,
      columns: grid.columns.map((values) => values.map((v, i) => (i === 500 ? Number.NaN : v))),
    };
    const past = prepare(gappy, encoding.features.links);
    const memory = recallRidge(past, fit.part, encoding, 0, past.values[0]!.length, () => weights);
    const errors = ridgeErrors(past, memory, encoding, fit.part);
    const { units } = errors;
    const { sums } = withSums(errors);
    const track = 1; // temperature, lead 3
    const made = memory.changes[600 * 10 + track]!;
    const wanted = (past.values[0]![603]! - past.values[0]![600]! - made) / fit.part.errorScale[track]!;
    expect(units[track]![603]! / 2048).toBeCloseTo(Math.max(-8, Math.min(8, wanted)), 3);
    expect(sums![track]!.count[504]! - sums![track]!.count[497]!).toBe(5); // neither 500 nor 503
    const [withThem, without] = [withSums(errors), errors].map((some) => {
      const origins = [0, 3, 11, 499, 503, 504, 760, past.values[0]!.length - 1];
      return origins.map((origin) => {
        const out = new Float32Array(units.length * encoding.errorWindows.length * 2);
        writeErrors(some, origin, encoding, out, 0);
        return out;
      });
    });
    expect(withThem).toEqual(without);
    expect(new Set(without!.flatMap((out) => [...out])).size).toBeGreaterThan(100);
  });
});

describe("neighbours", () => {
  const at = grid.startAt.getTime() / 1000 + 600 * stepSeconds;
  const read = (some: typeof panel, except: string) => {
    const out = new Float32Array(17);
    const known = writeNeighbours(some, except, at, encoding, out, 0);
    return { out, known };
  };

  test("are a mean without the sensor itself", () => {
    expect(read(panel, "b")).toEqual(read([panel[1]!], ""));
    expect(read(panel, "").known).toBe(2);
  });

  test("that have no value at that moment are missing; without any there are zeros", () => {
    const short = {
      ...panel[0]!,
      history: prepare({ ...grid, columns: grid.columns.map((c) => c.slice(0, 300)) }, ["identity", "logit"]),
    };
    expect(read([short, panel[1]!], "")).toEqual(read([panel[1]!], ""));
    expect(read([short], "")).toEqual({ out: new Float32Array(17), known: 0 });
  });

  test("are chosen by id, whatever their order, and one more displaces one at most", () => {
    const ids = Array.from({ length: 100 }, (_, i) => `sensor ${i}`);
    const chosen = choosePanel(ids);
    expect(chosen.length).toBe(32);
    expect(choosePanel(ids.toReversed())).toEqual(chosen);
    expect(choosePanel([...ids, "new"]).filter((id) => !chosen.includes(id)).length).toBeLessThanOrEqual(1);
  });
});

describe("leads", () => {
  test("go step by step to 24 and hourly to a day", () => {
    expect(defaultLeads(600).length).toBe(44);
    expect(defaultLeads(600).slice(22, 27)).toEqual([23, 24, 30, 36, 42]);
    expect(defaultLeads(600).at(-1)).toBe(144);
    expect(defaultLeads(900).slice(23, 26)).toEqual([24, 28, 32]);
    expect(defaultLeads(3600)).toEqual(leads);
    expect(defaultLeads(7200)).toEqual(leads);
    expect(defaultLeads(60).at(-1)).toBe(1440);
  });

  test("far ones add features and take none from the near ones", () => {
    const far = fleetEncoding(targets, 600, defaultLeads(600), 144 * 40);
    const near = fleetEncoding(targets, 600, leads, 144 * 40);
    expect(far.features.dayLeads.slice(0, 24)).toEqual(near.features.dayLeads);
    expect(far.features.dayLeads.at(-1)).toBe(144);
    expect(far.errorLeads).toEqual(near.errorLeads);
    expect(splitLeads(far.leads).far.length).toBe(20);
    const own = farFeatures(far);
    expect(own.lead).toBe(24);
    expect(own.features.length).toBe(linearOf(far) - linearOf(fleetEncoding(targets, 600, everyLead(24), 144 * 40)));
    expect(farFeatures(fleetEncoding(targets, 600, everyLead(24), 144 * 40)).features).toEqual([]);
    const columns = farColumns(far);
    const count = (encoding: typeof far) => featurePlaces(encoding).count;
    expect(columns.length).toBe(count(far) - count(near));
    expect(columns).toEqual([...new Set(columns)].sort((a, b) => a - b));
    expect(farColumns(near)).toEqual([]);
  });
});
