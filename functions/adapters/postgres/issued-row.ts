import { createHash } from "node:crypto";
import { type Resolution, stepLimit, stepOf, valueOfStep } from "../../../core/data/resolution.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import { experts } from "../../../core/mix/experts.ts";
import type { Mix } from "../../../core/mix/mix.ts";
import { mixOfShares, shareGroups, sharesOf } from "../../../core/mix/shares.ts";
import { everyLead, isEveryLead, lastLead } from "../../../core/model/leads.ts";
import { addSeconds } from "../../../core/time.ts";
import { column, type RowOf } from "./columns.ts";
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
  steps: column<number[] | null>("int2[]"),
  exact: column<(number | null)[] | null>("float8[]"),
  /** Per target, zeros for one that is not mixed; null where none is. */
  shares: column<number[] | null>("int2[]"),
  /** base64; null where there is nothing to learn from. */
  pack: column<string | null>("text"),
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
    const values = valuesOf(group);
    const steps = toSteps(values, group);
    const hasText = group.some(({ reasonText }) => reasonText !== null);
    const hasMix = group.some(({ mix }) => mix !== null);
    return {
      ...{ sensor_id: sensorId, slot, origin, lineage_id: lineageId, issued_at: issuedAt },
      ...{ source_watermark: sourceWatermark, is_served: isServed },
      learnt_through: hasMix ? group.map(({ mix }) => mix?.learntThrough ?? null) : null,
      shares: hasMix ? group.flatMap(({ mix, leads }) => (mix ? sharesOf(mix, leads) : noShares(leads))) : null,
      reason_texts: hasText ? group.map(({ reasonText }) => reasonText) : null,
      ...(steps ? { steps, exact: null } : { steps: null, exact: values }),
      pack: packMix(group)?.toString("base64") ?? null,
    };
  });
  return { rows, lineages };
}

/**
 * The forecasts that the row was made of, equal in every field; without a pack their mix and seasonal naive are gone.
 */
export function toForecasts(row: IssuedRow, lineage: Lineage): Forecast[] {
  const { leads, stepSeconds, codeVersion, targets } = lineage;
  const pack = row.pack === null ? null : Buffer.from(row.pack, "base64");
  const read =
    pack &&
    openPack(
      pack,
      leads.length,
      targets.map((target) => target.resolution),
    );
  return targets.map(({ isMixed, challengerId, ...target }, n) => {
    const value = reader(row, target.resolution);
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
      mix: isMixed ? mixFrom(row, mixed, { n, leads, challengerId }) : null,
    };
  });
}

/** The doubles of a row, by place: last values, then lead by lead, per target q10, q50, q90. */
export function reader({ steps, exact }: Pick<IssuedRow, "steps" | "exact">, resolution: Resolution | null) {
  return steps ? (i: number) => valueOfStep(resolution!, steps[i]!) : (i: number) => exact![i]!;
}

type Place = { n: number; leads: number[]; challengerId: string | null };

/** The mix whole, or what its shares tell of it once the pack is gone; null where neither was read. */
function mixFrom(row: IssuedRow, read: MixedLead[] | null, { n, leads, challengerId }: Place): Mix | null {
  const of = { learntThrough: row.learnt_through?.[n] ?? null, challengerId };
  if (read === null) {
    const size = noShares(leads).length;
    return row.shares && mixOfShares(row.shares.slice(n * size, (n + 1) * size), leads, of);
  }
  const made = read[0]!.experts.map((_, k) => {
    const triples = read.flatMap((lead) => lead.experts[k] ?? []);
    if (triples.length === 0) return null;
    const level = (q: 0 | 1 | 2) => read.map((lead) => lead.experts[k]![q]);
    return { q10: level(0), q50: level(1), q90: level(2) };
  });
  const weights = read[0]!.weights.map((_, k) => read.map((lead) => lead.weights[k]!));
  const widths = [0, 1].map((side) => read.map((lead) => lead.widths[side as 0 | 1]));
  return { experts: made, weights, widths, ...of };
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
  const bytes = createHash("sha256")
    .update(JSON.stringify(toStoredLineage(lineage)))
    .digest();
  return (bytes.readBigUInt64BE() >> 1n).toString();
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

/** The values as 16-bit steps, null where one is none exactly. */
function toSteps(values: (number | null)[], group: Forecast[]): number[] | null {
  const size = group.length;
  const steps: number[] = [];
  for (const [i, value] of values.entries()) {
    const n = i < size ? i : Math.floor((i - size) / 3) % size;
    const resolution = group[n]!.resolution;
    if (resolution === null || value === null) return null;
    const step = stepOf(resolution, value);
    if (!(Math.abs(step) <= stepLimit) || valueOfStep(resolution, step) !== value) return null;
    steps.push(step);
  }
  return steps;
}

/** When the row's last lead comes due. */
export function endOf(row: IssuedRow, { leads, stepSeconds }: Lineage): Date {
  return addSeconds(row.origin, lastLead(leads) * stepSeconds);
}
