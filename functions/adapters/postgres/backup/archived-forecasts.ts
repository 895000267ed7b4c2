import { sql } from "kysely";
import type { Resolution } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import type { ParquetColumn, ParquetRow } from "../../parquet.ts";
import { names, recordset } from "../bulk.ts";
import { issuedFields, issuedReader } from "../forecast/issued.ts";
import {
  type IssuedRow,
  issuedColumns,
  type Lineage,
  learntAndShares,
  numbersApart,
  numbersWith,
  toForecasts,
  toIssuedRows,
} from "../forecast/issued-row.ts";
import type { Archived } from "./archived-table.ts";
import { sensorsOf } from "./sensors.ts";

/** Under the names of the view `forecast`; a row a target. What only learning needs is not in it. */
const columns: ParquetColumn[] = [
  { name: "sensor_id", type: "text" },
  { name: "target", type: "text" },
  { name: "origin", type: "time" },
  { name: "slot", type: "time" },
  { name: "issued_at", type: "time" },
  { name: "model_key", type: "text" },
  { name: "is_served", type: "boolean" },
  { name: "method", type: "text" },
  { name: "baseline", type: "text" },
  { name: "reason", type: "text" },
  { name: "reason_text", type: "text" },
  { name: "model_id", type: "text" },
  { name: "model_sha256", type: "text" },
  { name: "unit", type: "text" },
  { name: "step_seconds", type: "integer" },
  /** In steps; the lists below have an element for each. */
  { name: "leads", type: "integers" },
  { name: "q10", type: "doubles" },
  { name: "q50", type: "doubles" },
  { name: "q90", type: "doubles" },
  { name: "last_value", type: "double" },
  { name: "source_watermark", type: "time" },
  { name: "imputed_steps", type: "integer" },
  { name: "code_version", type: "text" },
  { name: "mix_through", type: "time" },
  { name: "mix_challenger_id", type: "text" },
  /** Per group of leads each expert's weight, then the two widths, in thousandths. */
  { name: "mix_shares", type: "integers" },
  /** "multiple/divisor/base": value = (base + n) * multiple / divisor, n of 16 bits. */
  { name: "resolution", type: "text" },
  /** Of the row of `issued`, all of whose targets are needed to put it back. */
  { name: "lineage_id", type: "text" },
  /** How its numbers lie in `issued`; not in archives of before, which have none that are packed. */
  { name: "is_packed", type: "boolean" },
  /** How many neighbours the model knew; not in archives of before. */
  { name: "neighbours", type: "integer" },
];

/** Forecasts as they were issued. */
export const archivedForecasts: Archived = {
  columns,
  sensors: (db, leaf) => sensorsOf(db, leaf, "sensor_no"),

  async read(db, { name }, sensors) {
    const issued = issuedReader(db);
    const { rows } = await sql<IssuedRow>`
      select ${issuedFields(sql`null`)} from ${sql.table(name)} as i join sensor_key k using (sensor_no)
      where i.sensor_no = any(${sensors}::integer[]) order by i.sensor_no, i.slot, i.origin, i.lineage_id`.execute(db);
    const lineages = await issued.lineagesOf(rows.map((row) => row.lineage_id));
    return rows.flatMap((row) => toArchived(row, lineages.get(row.lineage_id)!));
  },

  async write(db, rows) {
    const lineages = await issuedReader(db).lineagesOf(rows.map((row) => String(row.lineage_id)));
    const made = rowsOf(rows).map((group) => toIssued(group, lineages.get(String(group[0]!.lineage_id))!));
    for (let i = 0; i < made.length; i += rowsAtOnce) {
      await sql`
        insert into issued (sensor_no, ${names(stored)})
        select k.sensor_no, ${names(stored, "f")} from ${recordset(made.slice(i, i + rowsAtOnce), "f", issuedColumns)}
        join sensor_key k using (sensor_id)`.execute(db);
    }
  },
};

const rowsAtOnce = 2000;
const { sensor_id: _sensor, pack: _pack, ...stored } = issuedColumns;

function toArchived(row: IssuedRow, lineage: Lineage): ParquetRow[] {
  const { learnt, shares } = learntAndShares(row, lineage);
  const size = (shares?.length ?? 0) / lineage.targets.length;
  return toForecasts({ ...row, pack: null }, lineage).map((one, n) => ({
    ...{ sensor_id: one.sensorId, target: one.target, origin: one.origin, slot: one.slot, issued_at: one.issuedAt },
    ...{ model_key: one.modelKey, is_served: one.isServed, method: one.method, baseline: one.baseline },
    ...{ reason: one.reason, reason_text: one.reasonText, model_id: one.modelId, model_sha256: one.modelSha256 },
    ...{ unit: one.unit, step_seconds: one.stepSeconds, leads: one.leads, q10: one.q10, q50: one.q50, q90: one.q90 },
    ...{ last_value: one.lastValue, source_watermark: one.sourceWatermark, imputed_steps: one.imputedSteps },
    ...{ code_version: one.codeVersion, mix_through: learnt?.[n] ?? null },
    mix_challenger_id: one.mix?.challengerId ?? null,
    mix_shares: shares?.slice(n * size, (n + 1) * size) ?? null,
    resolution: textOf(one.resolution),
    lineage_id: row.lineage_id,
    is_packed: row.packed !== null,
    neighbours: one.neighbours,
  }));
}

function textOf(resolution: Resolution | null): string | null {
  return resolution && `${resolution.multiple}/${resolution.divisor}/${resolution.base}`;
}

/** The targets of each row of `issued`, which lie one after the other. */
function rowsOf(rows: ParquetRow[]): ParquetRow[][] {
  const keyOf = (row: ParquetRow) => JSON.stringify([row.sensor_id, row.slot, row.origin, row.lineage_id]);
  return [...Map.groupBy(rows, keyOf).values()];
}

function toIssued(group: ParquetRow[], lineage: Lineage): IssuedRow {
  const forecasts = lineage.targets.map((named, n) => {
    const { isMixed: _mixed, challengerId: _challenger, ...target } = named;
    return { ...target, ...valuesOf(group[n]!, lineage), codeVersion: lineage.codeVersion };
  });
  const row = toIssuedRows(forecasts as Forecast[]).rows[0]!;
  const ofTargets = <T>(name: string) => group.map((one) => (one[name] ?? null) as T | null);
  const shares = ofTargets<number[]>("mix_shares");
  const hasShares = shares.some((one) => one !== null);
  const isMixed = hasShares || lineage.targets.some((one) => one.isMixed);
  const learnt = isMixed ? ofTargets<Date>("mix_through") : null;
  const known = hasShares ? shares.flatMap((one) => one ?? []) : null;
  const numbers = group[0]!.is_packed ? numbersWith : numbersApart;
  return {
    ...row,
    lineage_id: String(group[0]!.lineage_id),
    ...numbers(forecasts as Forecast[], learnt, known),
    pack: null,
  };
}

/** The parts of a forecast that are in the row itself. */
function valuesOf(row: ParquetRow, { stepSeconds, leads }: Lineage) {
  const level = (name: string) => row[name] as number[];
  return {
    ...{ sensorId: String(row.sensor_id), slot: row.slot, origin: row.origin, issuedAt: row.issued_at },
    ...{ sourceWatermark: row.source_watermark, isServed: row.is_served, stepSeconds, leads },
    ...{ reasonText: row.reason_text ?? null, q10: level("q10"), q50: level("q50"), q90: level("q90") },
    ...{ lastValue: row.last_value, seasonalNaive: level("q50").map(() => null), mix: null },
  };
}
