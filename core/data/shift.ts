import type { Target } from "./reading.ts";

/** A jump that the next reading confirmed: when it began, and the readings before and after it. */
export type Shift = { at: number; from: number; to: number };

/** What a sensor's settings or its app's may change into, with the factor and offset that it takes. */
const switches: { name: string; scale: number; offset: number; units?: string[] }[] = [
  { name: "now in °F", scale: 9 / 5, offset: 32, units: ["°C", "C"] },
  { name: "now in K", scale: 1, offset: 273.15, units: ["°C", "C"] },
  { name: "now in °C", scale: 5 / 9, offset: -160 / 9, units: ["°F", "F"] },
  { name: "now 10 times as much", scale: 10, offset: 0 },
  { name: "now 100 times as much", scale: 100, offset: 0 },
  { name: "now 1000 times as much", scale: 1000, offset: 0 },
  { name: "now a 10th", scale: 1 / 10, offset: 0 },
  { name: "now a 100th", scale: 1 / 100, offset: 0 },
  { name: "now a 1000th", scale: 1 / 1000, offset: 0 },
];
/** The reading after a switch is this near, as a share of the jump, to what the one before would be in the new unit. */
const tolerance = 0.03;

/** "now in °F" and the like, where the jump is that of a unit; null where it is of a level. */
export function switchOf({ from, to }: Shift, { unit }: Pick<Target, "unit">): string | null {
  const isNear = (expected: number) => Math.abs(to - expected) <= tolerance * Math.abs(to - from);
  const found = switches.find(
    ({ scale, offset, units }) => (units === undefined || units.includes(unit)) && isNear(from * scale + offset),
  );
  return found?.name ?? null;
}

/** "shifted from 20.6 to 69.1 °C at 2026-03-01T10:10:00.000Z: now in °F?". */
export function shiftText(shift: Shift, target: Pick<Target, "unit">): string {
  const name = switchOf(shift, target);
  const at = new Date(shift.at).toISOString();
  return `shifted from ${round(shift.from)} to ${round(shift.to)} ${target.unit} at ${at}${name === null ? "" : `: ${name}?`}`;
}

function round(value: number): number {
  return Number(value.toPrecision(5));
}
