import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import type { PredictorSchema } from "../schema.ts";
import { openInTurns } from "../turns.ts";
import { fromStoredLineage, type IssuedRow, type Lineage, type StoredLineage, toForecasts } from "./issued-row.ts";

/** Lineages read once; a hash never changes its meaning. */
const mostLineages = 50_000;

/** The compact ledger as forecasts: what a filter on `i` (issued), `k` (sensor_key), `l` (lineage) finds. */
export function issuedReader(db: Kysely<PredictorSchema>) {
  const known = new Map<string, Lineage>();
  let hasBefore = true;

  /** By id, the lineages of these rows. */
  async function lineagesOf(ids: Iterable<string>): Promise<Map<string, Lineage>> {
    if (known.size > mostLineages) known.clear();
    const missing = [...new Set(ids)].filter((id) => !known.has(id));
    if (missing.length > 0) {
      const { rows } = await sql<{ id: string; content: StoredLineage }>`
        select lineage_id::text as id, content from lineage where lineage_id = any(${missing}::bigint[])`.execute(db);
      for (const { id, content } of rows) known.set(id, fromStoredLineage(content));
    }
    return known;
  }

  return {
    lineagesOf,

    /**
     * The forecasts of the rows that `from` gives, a select of `issuedFields` of `i`; in its order, each row's targets
     * in theirs. Without `withShares` what has lost its pack has no mix.
     */
    async forecasts(select: RawBuilder<IssuedRow>, { withShares } = { withShares: true }): Promise<Forecast[]> {
      const { rows } = await select.execute(db);
      const lineages = await lineagesOf(rows.map((row) => row.lineage_id));
      return openInTurns(rows, (row) => toForecasts(row, lineages.get(row.lineage_id)!, withShares));
    },

    /** Seconds that the furthest lead lies ahead: no row from before has a lead at a later moment. */
    async spanSeconds(): Promise<number> {
      const { rows } = await sql<{ span: number | null }>`
        select max(last_lead * step_seconds)::float8 as span from lineage`.execute(db);
      return rows[0]?.span ?? 0;
    },

    /** False once nothing is left in the table of before. */
    async hasBefore(): Promise<boolean> {
      if (!hasBefore) return false;
      const { rows } = await sql<{ has: boolean }>`select exists (select from forecast_before) as has`.execute(db);
      hasBefore = rows[0]?.has ?? false;
      return hasBefore;
    },
  };
}

/** The columns that `toForecasts` wants of `i` and `k`. */
export function issuedFields(pack: RawBuilder<unknown>): RawBuilder<IssuedRow> {
  return sql`k.sensor_id, i.slot, i.origin, i.lineage_id::text as lineage_id, i.issued_at, i.source_watermark, i.is_served,
    i.learnt_through, i.reason_texts, i.packed, i.steps, i.exact, i.shares, ${pack} as pack`;
}

/** A row's pack, by the alias `m` of issued_mix. */
export const packField = sql`m.pack`;
/** Joins it. */
export const withPack = sql`left join issued_mix m on m.sensor_no = i.sensor_no and m.slot = i.slot and m.origin = i.origin
  and m.lineage_id = i.lineage_id`;
