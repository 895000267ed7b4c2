import type { Readings } from "../../../core/data/reading.ts";

/** Sorted readings of one sensor as another kind of sensor would have sent them. */
export type Variant = (readings: Readings, seed: number) => Readings;

const minuteMs = 60_000;

/** The same numbers at every start. */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Readings of which `keep` says by target and index whether they were sent; moments without any are gone. */
function pick({ at, values }: Readings, keep: (target: string, i: number) => boolean): Readings {
  const sent = Object.entries(values).map(
    ([name, column]) => [name, column.map((value, i) => (keep(name, i) ? value : Number.NaN))] as const,
  );
  const known = Array.from(at.keys()).filter((i) => sent.some(([, column]) => !Number.isNaN(column[i]!)));
  return {
    at: Float64Array.from(known, (i) => at[i]!),
    values: Object.fromEntries(sent.map(([name, column]) => [name, Float64Array.from(known, (i) => column[i]!)])),
  };
}

/** A value is sent when it has moved by `deadband[target]` from the last one sent, or `heartbeatMs` after it. */
export function onChange(deadband: Record<string, number>, heartbeatMs: number): Variant {
  return (readings) => {
    const sent = new Map<string, { at: number; value: number }>();
    return pick(readings, (name, i) => {
      const [at, value, last] = [readings.at[i]!, readings.values[name]![i]!, sent.get(name)];
      if (Number.isNaN(value)) return false;
      const isDue = last === undefined || at - last.at >= heartbeatMs;
      if (!isDue && Math.abs(value - last.value) < (deadband[name] ?? 0)) return false;
      sent.set(name, { at, value });
      return true;
    });
  };
}

/** Times off by up to `mostMs` on both sides. */
export function jittered(mostMs: number): Variant {
  return ({ at, values }, seed) => {
    const random = randomOf(seed);
    return { at: at.map((one) => one + Math.round((2 * random() - 1) * mostMs)), values };
  };
}

/** A share of the readings is lost, by chance. */
export function thinned(share: number): Variant {
  return (readings, seed) => {
    const random = randomOf(seed);
    const isLost = Array.from(readings.at, () => random() < share);
    return pick(readings, (_, i) => !isLost[i]);
  };
}

/** Sends at every `every`-th moment only, `offset` moments after the first. */
export function slower(every: number, offset = 0): Variant {
  return (readings) => pick(readings, (_, i) => i % every === offset);
}

/** A share of one target's readings is a false one. */
export function spiked(share: number, target: string, value: number): Variant {
  return ({ at, values }, seed) => {
    const random = randomOf(seed);
    const column = values[target]!.map((one) => (random() < share ? value : one));
    return { at, values: { ...values, [target]: column } };
  };
}

/** Measures `ms` after each moment, on the straight line to the next: a phase of the sensor's own. */
export function phased(ms: number): Variant {
  return ({ at, values }) => {
    const between = (column: Float64Array) =>
      column.map((value, i) => {
        const share = ms / ((at[i + 1] ?? Number.POSITIVE_INFINITY) - at[i]!);
        return share > 0 && share < 1 ? value + share * (column[i + 1]! - value) : value;
      });
    return {
      at: at.map((one) => one + ms),
      values: Object.fromEntries(Object.entries(values).map(([name, column]) => [name, between(column)])),
    };
  };
}

/** Sends every `every`-th moment from `share` of the readings on. */
export function slowed(every: number, share: number): Variant {
  return (readings) => {
    const from = Math.floor(share * readings.at.length);
    return pick(readings, (_, i) => i < from || i % every === 0);
  };
}

/** One target's level moves by `by` at `share` of the readings, and stays there. */
export function shifted(by: number, target: string, share: number): Variant {
  return ({ at, values }) => {
    const from = Math.floor(share * at.length);
    return { at, values: { ...values, [target]: values[target]!.map((one, i) => (i < from ? one : one + by)) } };
  };
}

/** What the shipped rooms are made into, by name. */
export const variants: Record<string, Variant> = {
  clean: (readings) => readings,
  jittered: jittered(30_000),
  "jittered-widely": jittered(2 * minuteMs),
  thinned: thinned(0.3),
  "on-change": onChange({ temperature: 0.2, humidity: 0.5 }, 240 * minuteMs),
  "on-change-coarse": onChange({ temperature: 0.5, humidity: 1 }, 240 * minuteMs),
  "on-change-hourly": onChange({ temperature: 0.2, humidity: 0.5 }, 60 * minuteMs),
  spiked: spiked(0.005, "temperature", 85),
  shifted: shifted(3, "temperature", 0.9),
  phased: phased(4 * minuteMs),
  "half-hourly": slower(3),
  hourly: slower(6),
  slowed: slowed(3, 0.85),
};
