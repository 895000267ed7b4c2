import { describe, expect, test } from "vitest";
import { toSensorGrid } from "../../../core/data/context.ts";
import { type KeptBands, recentBands } from "../../../core/forecast/kept-bands.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { simpleBands } from "../../../core/mix/experts.ts";
import { fleetOf, readingsOf, temperature, wave } from "../../builders.ts";

const settings = defaultForecastSettings(fleetOf(), "test");
const steps = 600;
const end = new Date("2026-03-02T00:00:00Z");
const values = { temperature: wave(1200, { seed: 3 }), humidity: wave(1200, { seed: 4, mean: 50 }) };
const readings = readingsOf(values, { end });

function bandsAt(slot: Date, kept: KeptBands = new Map(), known = readings) {
  const sensor = toSensorGrid(known, settings.fleet, slot, steps)!;
  const usual = sensor.grid.columns;
  return recentBands(kept, { sensorId: "a", slot, sensor, usual, usualOf: "" }, 0, settings);
}

const at = (text: string) => new Date(`2026-03-01T${text}:00Z`);

describe("the simple experts' bands", () => {
  test("are the same for three hours, whoever works them out at whatever slot", () => {
    const first = bandsAt(at("09:00"))!;
    for (const time of ["09:10", "10:30", "11:50"]) expect(bandsAt(at(time))).toEqual(first);
    expect(bandsAt(at("12:00"))).not.toEqual(first);
    expect(bandsAt(at("08:50"))).not.toEqual(first);
  });

  test("are those of the errors up to then", () => {
    const { grid } = toSensorGrid(readings, settings.fleet, at("15:00"), steps)!;
    const column = grid.columns[0]!.subarray(17);
    const wanted = simpleBands(column, column.length - 1, settings.fleet.leads, 600, temperature);
    expect(bandsAt(at("16:40"))).toEqual(wanted);
  });

  test("are worked out once for a span, sensor and target", () => {
    const kept: KeptBands = new Map();
    expect(bandsAt(at("09:50"), kept)).toBe(bandsAt(at("10:10"), kept));
  });

  test("are worked out anew where less than a day was known", () => {
    const young = readingsOf({ temperature: wave(140), humidity: wave(140) }, { end: at("10:00") });
    expect(bandsAt(at("10:00"), new Map(), young)).toBe(null);
  });
});
