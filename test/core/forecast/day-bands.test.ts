import { describe, expect, test } from "vitest";
import { toSensorGrid } from "../../../core/data/context.ts";
import { bandsOfDay, type DayBands } from "../../../core/forecast/day-bands.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";
import { simpleBands } from "../../../core/mix/experts.ts";
import { addSeconds } from "../../../core/time.ts";
import { fleetOf, readingsOf, temperature, wave } from "../../builders.ts";

const settings = defaultForecastSettings(fleetOf(), "test");
const steps = 600;
const end = new Date("2026-03-02T00:00:00Z");
const values = { temperature: wave(1200, { seed: 3 }), humidity: wave(1200, { seed: 4, mean: 50 }) };
const readings = readingsOf(values, { end });

function bandsAt(slot: Date, kept: DayBands = new Map(), known = readings) {
  const sensor = toSensorGrid(known, settings.fleet, slot, steps)!;
  return bandsOfDay(kept, { sensorId: "a", slot, sensor }, 0, settings);
}

const at = (text: string) => new Date(`2026-03-01T${text}:00Z`);

describe("the simple experts' bands", () => {
  test("are the same all day, whoever works them out at whatever slot", () => {
    const first = bandsAt(at("00:00"))!;
    for (const time of ["00:10", "07:30", "23:50"]) expect(bandsAt(at(time))).toEqual(first);
    expect(bandsAt(addSeconds(at("00:00"), 86_400))).not.toEqual(first);
    expect(bandsAt(addSeconds(at("00:00"), -600))).not.toEqual(first);
  });

  test("are those of the errors up to midnight", () => {
    const { grid } = toSensorGrid(readings, settings.fleet, at("00:00"), steps)!;
    const column = grid.columns[0]!.subarray(143);
    const wanted = simpleBands(column, column.length - 1, settings.fleet.leads, 600, temperature);
    expect(bandsAt(at("15:00"))).toEqual(wanted);
  });

  test("are worked out once a day, sensor and target", () => {
    const kept: DayBands = new Map();
    expect(bandsAt(at("10:00"), kept)).toBe(bandsAt(at("10:10"), kept));
  });

  test("are not yet those of a day where less than one was known at midnight", () => {
    const young = readingsOf({ temperature: wave(200), humidity: wave(200) }, { end: at("10:00") });
    expect(bandsAt(at("10:00"), new Map(), young)).toBe(null);
  });
});
