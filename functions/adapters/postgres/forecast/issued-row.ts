import { hash } from "node:crypto";
import { type Resolution, valueOfStep } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { experts } from "../../../../core/mix/experts.ts";
import type { Mix } from "../../../../core/mix/mix.ts";
import { mixOfShares, shareGroups, sharesOf } from "../../../../core/mix/shares.ts";
import { everyLead, isEveryLead, lastLead } from "../../../../core/model/leads.ts";
import { addSeconds } from "../../../../core/time.ts";
import { column, type RowOf } from "../columns.ts";
import { besideOf, packIssued, stepsOf } from "./issued-pack.ts";
import { openPack, packMix } from "./mix-pack.ts";
import type { MixedLead } from "./mixed-lead.ts";

/** What the forecasts of many slots share: stored once, by the hash of its content. */
export type Lineage = {
  codeVersion: string;
  stepSeconds: number;
  leads: number[];
  targets: (Pick<
    Forecast,
    | "target"
    | "unit"
    | "modelKey"
    | "method"
    | "baseline"
    | "reason"
    | "modelId"
    | "modelSha256"
    | "imputedSteps"
    | "resolution"
  > & { neighbours?: number; isMixed: boolean; challengerId: string | null })[];
};

/** A lineage as it is stored; `leads` as a number are each step up to it. */
export type StoredLineage = Omit<Lineage, "leads"> & { leads: number | number[] };

/** The lineage in the form in which its id is made and it is stored. */
export function toStoredLineage(lineage: Lineage): StoredLineage {
  const { codeVersion, stepSeconds, leads, targets } = lineage;
  return { codeVersion, stepSeconds, leads: isEveryLead(leads) ? leads.length : leads, targets };
}

/** The lineage that was stored. */
export function fromStoredLineage(stored: StoredLineage): Lineage {
  return { ...stored, leads: typeof stored.leads === "number" ? everyLead(stored.leads) : stored.leads };
}

/** A sensor's forecasts of one slot and origin: served ones together, each challenger's apart. */
export const issuedColumns = {
  sensor_id: column<string>("text"),
  slot: column<Date>("timestamptz"),
  origin: column<Date>("timestamptz"),
  lineage_id: column<string>("bigint"),
  issued_at: column<Date>("timestamptz"),
  source_watermark: column<Date>("timestamptz"),
  is_served: column<boolean>("boolean"),
  learnt_through: column<(Date | null)[] | null>("timestamptz[]"),
  reason_texts: column<(string | null)[] | null>("text[]"),
  /** Null in what the versions before wrote, and where numbers are no steps: then the columns around it have them. */
  packed: column<Buffer | null>("bytea"),
  /** Written by the versions before, in the place of `packed`. */
  steps: column<number[] | null>("int2[]"),
  exact: column<(number | null)[] | null>("float8[]"),
  /** Per target, zeros for one that is not mixed; null where none is. */
  shares: column<number[] | null>("int2[]"),
  /** What learning needs; null where there is nothing to learn from. */
  pack: column<Buffer | null>("bytea"),
};
export type IssuedRow = RowOf<typeof issuedColumns>;

/** Rows and lineages of these forecasts; the same forecasts make the same rows, whatever their order. */
export function toIssuedRows(forecasts: Forecast[]): { rows: IssuedRow[]; lineages: Map<string, Lineage> } {
  const lineages = new Map<string, Lineage>();
  const rows = groupsOf(forecasts).map((group) => {
    const lineage = lineageOf(group);
    const lineageId = idOf(lineage);
    lineages.set(lineageId, lineage);
    const { sensorId, slot, origin, issuedAt, sourceWatermark, isServed } = group[0]!;
    const hasText = group.some(({ reasonText }) => reasonText !== null);
    return {
      ...{ sensor_id: sensorId, slot, origin, lineage_id: lineageId, issued_at: issuedAt },
      ...{ source_watermark: sourceWatermark, is_served: isServed },
      reason_texts: hasText ? group.map(({ reasonText }) => reasonText) : null,
      ...numbersOf(group),
      pack: packMix(group),
    };
  });
  return { rows, lineages };
}

/**
 * The forecasts that the row was made of, equal in every field; without a pack their seasonal naive is gone, and of
 * their mix only the shares are left, which need not be asked for.
 */
export function toForecasts(row: IssuedRow, lineage: Lineage, withShares = true): Forecast[] {
  const { leads, stepSeconds, codeVersion, targets } = lineage;
  const steps = row.packed ? stepsOf(row.packed, targets.length, leads.length) : row.steps;
  const known = withShares || row.pack ? learntAndShares(row, lineage) : { learnt: null, shares: null };
  const read =
    row.pack &&
    openPack(
      row.pack,
      leads.length,
      targets.map((target) => target.resolution),
    );
  return targets.map(({ isMixed, challengerId, ...target }, n) => {
    const value = reader({ steps, exact: row.exact }, target.resolution);
    const level = (q: number) => leads.map((_, h) => value(targets.length + 3 * (h * targets.length + n) + q));
    const mixed = read && leads.map((_, h) => read(n, h));
    return {
      ...target,
      neighbours: target.neighbours ?? null,
      ...{ sensorId: row.sensor_id, origin: row.origin, slot: row.slot, issuedAt: row.issued_at },
      ...{ sourceWatermark: row.source_watermark, isServed: row.is_served, stepSeconds, codeVersion, leads },
      reasonText: row.reason_texts?.[n] ?? null,
      ...{ q10: level(0), q50: level(1), q90: level(2), lastValue: value(n) },
      seasonalNaive: mixed?.map((lead) => lead.seasonalNaive) ?? leads.map(() => null),
      mix: isMixed ? mixFrom(known, mixed, { n, leads, challengerId }) : null,
    };
  });
}

/** The doubles of a row, by place: last values, then lead by lead, per target q10, q50, q90. */
export function reader(
  { steps, exact }: { steps: ArrayLike<number> | null; exact: (number | null)[] | null },
  resolution: Resolution | null,
) {
  return steps ? (i: number) => valueOfStep(resolution!, steps[i]!) : (i: number) => exact![i]!;
}

type Place = { n: number; leads: number[]; challengerId: string | null };

type LearntAndShares = { learnt: (Date | null)[] | null; shares: number[] | null };

/** Of each target what its mix had learnt to; its shares one target after the other, in `sharesOf`'s order. */
export function learntAndShares(row: IssuedRow, { leads, stepSeconds, targets }: Lineage): LearntAndShares {
  if (row.packed === null) return { learnt: row.learnt_through, shares: row.shares };
  const { learnt, shares } = besideOf(row.packed, targets.length, leads);
  const toDate = (steps: number) => (steps < 0 ? null : addSeconds(row.origin, -steps * stepSeconds));
  return { learnt: row.learnt_through ?? learnt?.map(toDate) ?? null, shares };
}

/** The mix whole, or what its shares tell of it once the pack is gone; null where neither was read. */
function mixFrom(known: LearntAndShares, read: MixedLead[] | null, { n, leads, challengerId }: Place): Mix | null {
  const of = { learntThrough: known.learnt?.[n] ?? null, challengerId };
  if (read === null) {
    const size = noShares(leads).length;
    return known.shares && mixOfShares(known.shares.slice(n * size, (n + 1) * size), leads, of);
  }
  const made = read[0]!.experts.map((_, k) => {
    const triples = read.flatMap((lead) => lead.experts[k] ?? []);
    if (triples.length === 0) return null;
    const level = (q: 0 | 1 | 2) => read.map((lead) => lead.experts[k]![q]);
    return { q10: level(0), q50: level(1), q90: level(2) };
  });
  const weights = read[0]!.weights.map((_, k) => read.map((lead) => lead.weights[k]!));
  const widths = [0, 1].map((side) => read.map((lead) => lead.widths[side as 0 | 1]));
  return { experts: made, weights, widths, middle: read.map((lead) => lead.middle), ...of };
}

function noShares(leads: number[]): number[] {
  return new Array<number>(shareGroups(leads).length * (experts.length + 2)).fill(0);
}

function groupsOf(forecasts: Forecast[]): Forecast[][] {
  const groups = new Map<string, Forecast[]>();
  for (const one of forecasts) {
    const { sensorId, slot, origin, issuedAt, sourceWatermark, isServed, stepSeconds, codeVersion } = one;
    const times = [slot, origin, issuedAt, sourceWatermark].map(Number);
    const shadow = isServed ? null : one.modelKey;
    for (let turn = 0; ; turn++) {
      const key = JSON.stringify([sensorId, times, one.leads, stepSeconds, codeVersion, shadow, turn]);
      const group = groups.get(key);
      if (group?.some(({ target }) => target === one.target)) continue;
      groups.set(key, [...(group ?? []), one]);
      break;
    }
  }
  return [...groups.values()];
}

function lineageOf(group: Forecast[]): Lineage {
  const { codeVersion, stepSeconds, leads } = group[0]!;
  const targets = group.map((one) => {
    const { target, unit, modelKey, method, baseline, reason, modelId, modelSha256, imputedSteps, resolution, mix } =
      one;
    const named = { target, unit, modelKey, method, baseline, reason, modelId, modelSha256, imputedSteps, resolution };
    const context = one.neighbours === null ? {} : { neighbours: one.neighbours };
    return { ...named, ...context, isMixed: mix !== null, challengerId: mix?.challengerId ?? null };
  });
  return { codeVersion, stepSeconds, leads, targets };
}

/** 63 bits of its SHA-256: who records the same computes the same id and asks nobody. */
function idOf(lineage: Lineage): string {
  const bytes = hash("sha256", JSON.stringify(toStoredLineage(lineage)), "buffer");
  return (bytes.readBigUInt64BE() >> 1n).toString();
}

type Numbers = Pick<IssuedRow, "packed" | "steps" | "exact" | "learnt_through" | "shares">;

/** All numbers in one value where they are whole steps; else each list by itself. */
function numbersOf(group: Forecast[]): Numbers {
  const hasMix = group.some(({ mix }) => mix !== null);
  const learnt = hasMix ? group.map(({ mix }) => mix?.learntThrough ?? null) : null;
  const shares = hasMix ? group.flatMap(({ mix, leads }) => (mix ? sharesOf(mix, leads) : noShares(leads))) : null;
  return numbersWith(group, learnt, shares);
}

/** The numbers of these forecasts, with what their mixes had learnt to and the shares as they are given. */
export function numbersWith(group: Forecast[], learnt: (Date | null)[] | null, shares: number[] | null): Numbers {
  const { leads, origin, stepSeconds } = group[0]!;
  const steps = learnt && stepsBefore(origin, stepSeconds, learnt);
  const packed = steps?.includes(null) ? null : packIssued(group, { learnt: steps as number[] | null, shares, leads });
  if (packed === null) return numbersApart(group, learnt, shares);
  return { packed, steps: null, exact: null, learnt_through: null, shares: null };
}

/** The same as the versions before kept them: a list each. */
export function numbersApart(group: Forecast[], learnt: (Date | null)[] | null, shares: number[] | null): Numbers {
  const { leads } = group[0]!;
  const packed = packIssued(group, { learnt: null, shares: null, leads });
  const steps = packed && [...stepsOf(packed, group.length, leads.length)];
  return { packed: null, steps, exact: steps ? null : valuesOf(group), learnt_through: learnt, shares };
}

/** How many steps before the origin each moment lies: -1 for none, null where that is no whole number of them. */
function stepsBefore(origin: Date, stepSeconds: number, moments: (Date | null)[]): (number | null)[] {
  return moments.map((at) => {
    if (at === null) return -1;
    const steps = (origin.getTime() - at.getTime()) / (stepSeconds * 1000);
    return Number.isInteger(steps) && steps >= 0 ? steps : null;
  });
}

/** A ragged band leaves holes, which the database refuses. */
function valuesOf(group: Forecast[]): (number | null)[] {
  const leads = group[0]!.leads.length;
  const values: (number | null)[] = group.map(({ lastValue }) => lastValue);
  for (let h = 0; h < leads; h++)
    for (const { q10, q50, q90 } of group) values.push(q10[h] ?? null, q50[h] ?? null, q90[h] ?? null);
  const isRagged = group.some((one) => [one.q10, one.q50, one.q90].some(({ length }) => length !== leads));
  return isRagged ? [...values, null] : values;
}

/** When the row's last lead comes due. */
export function endOf(row: IssuedRow, { leads, stepSeconds }: Lineage): Date {
  return addSeconds(row.origin, lastLead(leads) * stepSeconds);
}
