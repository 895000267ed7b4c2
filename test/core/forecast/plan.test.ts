import { expect, it } from "vitest";
import { planSensor } from "../../../core/forecast/plan.ts";
import { defaultForecastSettings } from "../../../core/forecast/settings.ts";

const slot = new Date("2026-03-01T12:00:00Z");
const temperature = { name: "temperature", unit: "°C", min: -40, max: 85 };
const settings = defaultForecastSettings(
  { stepSeconds: 600, leads: Array.from({ length: 24 }, (_, h) => h + 1), targets: [temperature] },
  "test",
);
/** What is said of a sensor with a reading every so many hours, the newest at the slot. */
function say(hours: number, count: number): string {
  const at = Float64Array.from({ length: count }, (_, i) => slot.getTime() - (count - 1 - i) * hours * 3_600_000);
  const readings = { at, values: { temperature: at.map((_, i) => 20 + Math.sin(i)) } };
  const plan = planSensor({ sensorId: "a", slot, readings, champion: null, challengers: [] }, settings);
  if (!plan.ok) return plan.message;
  const [target] = plan.targets;
  return target!.serve === "model" ? "" : target!.message;
}

it.each([12, 24])("does not tell a sensor that comes every %i hours to wait for readings", (hours) => {
  expect(say(hours, 40)).toMatch(
    /readings come every .*, too seldom for steps of 10 min: it wants a longer STEP_SECONDS/,
  );
});

it("tells one that has just begun to", () => {
  expect(say(1 / 6, 5)).toMatch(/5 of 12 steps that a baseline needs.*waits for readings/);
});
