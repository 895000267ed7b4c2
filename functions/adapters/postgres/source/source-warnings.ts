import { niceStep } from "../../../../core/data/cadence.ts";
import { secondsBetween } from "../../../../core/time.ts";
import type { Source } from "../../../config/source.ts";
import { guessConversion } from "../../../config/units.ts";
import type { DoubledHour } from "./doubled-hours.ts";
import type { SourceFacts } from "./source-facts.ts";

type TimeFacts = {
  source: Source;
  /** The hours of the coming year that the source's wall clock shows twice, and the column that tells them apart. */
  doubled: DoubledHour[];
  order: { name: string } | null;
  newest: Map<string, Date | null>;
  readingsAhead: number;
  oldest: { id: string; at: Date | null }[];
  present: Date;
  stepSeconds: number;
  cadenceSeconds: number | null;
};

const silentSeconds = 7 * 86_400;
const firstYear = new Date("2000-01-01T00:00:00Z");

/**
 * What is odd about the moments: none, old, ahead of the clock, before there were sensors, a wall clock's doubled hour.
 */
export function timeWarnings(facts: TimeFacts): string[] {
  const { newest, oldest, present, stepSeconds, cadenceSeconds } = facts;
  const times = [...newest].flatMap(([id, at]) => (at === null ? [] : [{ id, age: secondsBetween(at, present) }]));
  const ahead =
    facts.readingsAhead === 0
      ? []
      : [
          `${facts.readingsAhead} readings lie ahead of the clock and are left out: is the time zone, or a sensor's clock, right?`,
        ];
  if (times.length === 0) return [...ahead, "there are no readings yet"];
  const youngest = Math.min(...times.map(({ age }) => age));
  const silent = times.filter(({ age }) => age > silentSeconds);
  const ancient = oldest.filter(({ at }) => at !== null && at < firstYear);
  const [doubled] = facts.doubled;
  return [
    ...ahead,
    ...(youngest > 6 * Math.max(cadenceSeconds ?? 0, stepSeconds)
      ? ["the newest reading is old: forecasts will be withheld until readings come again"]
      : silent.length > 0
        ? [`${some(silent, times.length)} silent for more than 7 days: no longer forecast until readings come`]
        : []),
    ...(ancient.length === 0
      ? []
      : [
          `${some(ancient, oldest.length)} with readings from before the year 2000: a clock that had not been set? They are left out of training`,
        ]),
    ...(doubled === undefined ? [] : [describeDoubled(doubled, facts)]),
  ];
}

function describeDoubled({ from, to, at }: DoubledHour, { source, order }: TimeFacts): string {
  const [day, first] = from.slice(0, 16).split(" ");
  const shown = `the wall clock of ${source.timeZone} shows ${first} to ${to.slice(11, 16)} of ${day} twice`;
  if (order !== null)
    return `${shown}: the order of "${order.name}" tells the two apart where the clock is seen to fall back once, else readings that could be of either are left out`;
  return (
    `${shown}: nothing tells the two apart, so that its readings are left out once it is ${at.toISOString()}; ` +
    `name a running number or a time of arrival as "arrivalColumn", or store timestamptz or UTC`
  );
}

/** What the sample's rhythms mean for the step, duplicates among them. */
export function sensorWarnings(facts: Pick<SourceFacts, "sampled">, stepSeconds: number): string[] {
  const { sampled } = facts;
  const slower = sampled.filter(({ fit }) => fit === "slower");
  const changing = sampled.filter(({ fit }) => fit === "onChange");
  const irregular = sampled.filter(({ fit }) => fit === "irregular");
  const repeated = sampled.filter(({ duplicates }) => duplicates > 0);
  const slowest = Math.max(0, ...slower.map(({ cadenceSeconds }) => cadenceSeconds ?? 0));
  const every = Math.round(slowest);
  return [
    ...(slower.length === 0
      ? []
      : [
          `readings of ${some(slower, sampled.length)} come every ${every} s, slower than the step of ${stepSeconds} s: set STEP_SECONDS=${niceStep(slowest)} or more, or leave it, and their values are carried on in between`,
        ]),
    ...(changing.length === 0
      ? []
      : [`${some(changing, sampled.length)} reporting on change: their last value is held between reports`]),
    ...(irregular.length === 0
      ? []
      : [
          `${some(irregular, sampled.length)} reporting irregularly: steps without a reading are filled in, up to 12 in a row`,
        ]),
    ...(repeated.length === 0
      ? []
      : [`${some(repeated, sampled.length)} with several readings of one moment: they are averaged`]),
  ];
}

/** What the values mean for the targets: no numbers, out of range, keys that are not there. */
export function targetWarnings(
  facts: Pick<SourceFacts, "sampled" | "cells" | "keys" | "sensors">,
  source: Source,
): string[] {
  const warnings: string[] = [];
  for (const target of source.targets) {
    const cells = facts.cells.find((one) => one.target === target.name);
    if (cells && cells.numeric < cells.present) {
      const share = percent(cells.present - cells.numeric, cells.present);
      warnings.push(
        `${target.name}: ${share} of ${cells.present} cells are no number and count as missing (${cells.unreadable.map((text) => JSON.stringify(text)).join(", ")})`,
      );
    }
    const values = facts.sampled.flatMap((sensor) =>
      sensor.values.filter((one) => one.target === target.name).map((one) => ({ ...one, id: sensor.sensorId })),
    );
    const measured = values.reduce((sum, one) => sum + one.measured, 0);
    const inRange = values.reduce((sum, one) => sum + one.inRange, 0);
    const outside = values.filter((one) => one.outside !== null);
    const [example] = outside;
    if (example) {
      const guess = guessConversion(example.outside ?? Number.NaN, target);
      const hint = guess === null ? "" : `: ${guess.question} Then set ${guess.set}`;
      warnings.push(
        `${target.name}: ${percent(measured - inRange, measured)} of ${measured} readings are out of range and count as missing, ` +
          `${example.outside} of sensor ${example.id} outside [${target.min}, ${target.max}] ${target.unit}${hint}`,
      );
    }
    const growing = values.filter(({ onlyGrows }) => onlyGrows);
    if (growing.length > 0) {
      warnings.push(
        `${target.name}: ${some(growing, values.length)} only ever growing: a counter? Then set "kind": "counter", and its rate is forecast`,
      );
    }
    if (measured === 0 && (facts.sensors > 0 || facts.keys !== null)) warnings.push(noneOf(target, facts.keys));
  }
  return warnings;
}

function noneOf(target: Source["targets"][number], keys: SourceFacts["keys"]): string {
  if (keys === null) return `${target.name}: no reading in the newest days`;
  const key = "key" in target && target.key !== undefined ? target.key : target.name;
  if (keys.some((one) => one.key === key))
    return `${target.name}: key ${JSON.stringify(key)} has no reading in the newest days`;
  const there = keys.map((one) => `${JSON.stringify(one.key)} (${one.count})`).join(", ");
  return `${target.name}: no row has the key ${JSON.stringify(key)}; there are ${there || "none"}. Set the target's "key"`;
}

/** "3 of 40 sensors (a, b, c)", the first three by name. */
function some(those: { id?: string; sensorId?: string }[], all: number): string {
  const names = those.slice(0, 3).map(({ id, sensorId }) => (id ?? sensorId ?? "").slice(0, 40));
  const more = those.length > names.length ? ", ..." : "";
  return `${those.length} of ${all} sensors (${names.join(", ")}${more})`;
}

function percent(part: number, whole: number): string {
  const share = (100 * part) / whole;
  return share < 1 ? "less than 1 %" : `${Math.round(share)} %`;
}
