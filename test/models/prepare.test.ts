import { describe, expect, test } from "vitest";
import type { TrainRequest } from "../../core/model/training.ts";
import { addSeconds } from "../../core/time.ts";
import { type Prepared, prepareTraining } from "../../models/prepare.ts";
import { toTrainingGrid } from "../../models/training-grid.ts";
import { readingsOf, someSlot, temperature, wave } from "../builders.ts";

const hour = 3600;
const hourly = (hours: number, seed: number, end = someSlot) =>
  readingsOf({ temperature: wave(hours, { seed, stepsPerDay: 24 }) }, { stepSeconds: hour, end });

function requestOf(hours: number, overrides: Partial<TrainRequest> = {}): TrainRequest {
  const shared = { sensorId: "a", targets: [temperature], stepSeconds: hour, horizon: 6, seed: 1, codeVersion: "" };
  return { ...shared, readings: hourly(hours, 9), now: someSlot, ...overrides };
}

const preparedOf = (made: ReturnType<typeof prepareTraining>): Prepared => {
  if ("reason" in made) throw new Error(made.message);
  return made;
};

describe("a short history", () => {
  test("keeps three horizons to choose on where an eighth would be less, and a long one its eighth", () => {
    const donors = [{ sensorId: "b", grid: toTrainingGrid(requestOf(96), hourly(1400, 1)) }];
    const validationOf = (hours: number) => {
      const { windows, validationRow } = preparedOf(prepareTraining(requestOf(hours), donors));
      // The last horizon of points has no window of its own.
      return windows.origins.length - validationRow + 6;
    };
    expect(validationOf(54)).toBe(18);
    expect(validationOf(96)).toBe(18);
    expect(validationOf(1001)).toBe(125);
  });

  test("chooses on nothing that donors measured at the same time", () => {
    const request = requestOf(96);
    // 96 hours leave 18 to choose on.
    const border = addSeconds(someSlot, -18 * hour);
    const donorsUntil = (end: Date) => {
      const readings = hourly(1400, 1);
      const kept = readings.at.filter((at) => at <= end.getTime()).length;
      const cut = {
        at: readings.at.slice(0, kept),
        values: { temperature: readings.values.temperature!.slice(0, kept) },
      };
      return [{ sensorId: "b", grid: toTrainingGrid(request, cut) }];
    };
    const [whole, cut] = [someSlot, border].map((end) => preparedOf(prepareTraining(request, donorsUntil(end))));
    expect(whole!.trainRows).toBe(cut!.trainRows);
    expect(whole!.borrowed.windows).toBe(cut!.borrowed.windows + 18);
    expect(whole!.windows.origins.length - whole!.validationRow).toBe(12);
    expect(whole!.windows.origins.length - whole!.validationRow).toBe(cut!.windows.origins.length - cut!.validationRow);
  });
});
