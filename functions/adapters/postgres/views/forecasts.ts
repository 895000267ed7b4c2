import { type Kysely, type Selectable, sql } from "kysely";
import type { Forecast, ForecastQuery, LeadRow } from "../../../../core/forecast/forecast.ts";
import type { Views } from "../../../../core/views.ts";
import { toForecast } from "../forecast/forecast-row.ts";
import { issuedFields, issuedReader, packField, withPack } from "../forecast/issued.ts";
import type { IssuedRow } from "../forecast/issued-row.ts";
import type { PredictorSchema } from "../schema.ts";

type ForecastRow = Selectable<PredictorSchema["forecast_before"]>;
type ForecastViews = Pick<
  Views,
  "latestForecasts" | "newestForecasts" | "forecasts" | "forecastsOfSlot" | "leadSeries"
>;

/** Served forecasts, newest slots by the primary key; what is left of the table of before is read along. */
export function forecastViews(db: Kysely<PredictorSchema>): ForecastViews {
  const issued = issuedReader(db);
  const before = forecastsBefore(db);
  // Read before `issued`: what moves from one to the other meanwhile is met twice, and never missed.
  const orBefore = async (read: () => Promise<Forecast[]>) => ((await issued.hasBefore()) ? read() : []);
  return {
    async latestForecasts(sensorIds, targets, asOf) {
      const old = await orBefore(() => before.latestForecasts(sensorIds, targets, asOf));
      const found = await issued.forecasts(sql<IssuedRow>`
        select ${issuedFields(packField)} from (
          select distinct newest.* from sensor_key as w
          cross join unnest(${targets}::text[]) as wanted (target)
          cross join lateral (
            select i.* from issued i join lineage l using (lineage_id)
            where i.sensor_no = w.sensor_no and i.is_served and l.targets @> array[wanted.target] and ${issuedBy("i", asOf)}
            order by i.slot desc, i.issued_at desc
            limit 1
          ) newest
          where w.sensor_id = any(${sensorIds}::text[])
        ) as i join sensor_key k using (sensor_no) ${withPack}`);
      const newest = new Map<string, Forecast>();
      for (const one of [...old, ...found]) {
        const key = JSON.stringify([one.sensorId, one.target]);
        const known = newest.get(key);
        if (known === undefined || known.slot <= one.slot) newest.set(key, one);
      }
      return sensorIds.flatMap((id) => targets.flatMap((target) => newest.get(JSON.stringify([id, target])) ?? []));
    },

    async newestForecasts(sensorIds, { withMix }) {
      const fields = issuedFields(withMix ? packField : sql`null`);
      const old = await orBefore(() => before.newestForecasts(sensorIds, { withMix }));
      const found = await issued.forecasts(
        sql<IssuedRow>`
        select ${fields} from sensor_state st join sensor_key k using (sensor_id)
        join issued i on i.sensor_no = k.sensor_no and i.slot = st.forecast_slot and i.is_served
        ${withMix ? withPack : sql``}
        where st.sensor_id = any(${sensorIds}::text[])`,
        { withShares: withMix },
      );
      const last = new Map<string, Forecast>();
      for (const one of [...old, ...found]) {
        const key = JSON.stringify([one.sensorId, one.target]);
        const known = last.get(key);
        if (known === undefined || known.issuedAt <= one.issuedAt) last.set(key, one);
      }
      return [...last.values()];
    },

    async forecasts(query) {
      const old = await orBefore(() => before.forecasts(query));
      const found = await issued.forecasts(sql<IssuedRow>`
        select ${issuedFields(packField)}
        from sensor_key k join issued i using (sensor_no) join lineage l using (lineage_id) ${withPack}
        where k.sensor_id = ${query.sensorId} and ${within("i", query)} and i.is_served and l.targets && ${query.targets}::text[]
          and i.origin in (
            select distinct i.origin from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
            where k.sensor_id = ${query.sensorId} and ${within("i", query)} and i.is_served
              and l.targets && ${query.targets}::text[]
            order by i.origin desc
            limit ${query.limit}
          )`);
      return chosen([...old, ...found], query);
    },

    async forecastsOfSlot(sensorIds, slot) {
      const old = await orBefore(() => before.forecastsOfSlot(sensorIds, slot));
      const found = await issued.forecasts(sql<IssuedRow>`
        select ${issuedFields(packField)} from sensor_key k join issued i using (sensor_no) ${withPack}
        where k.sensor_id = any(${sensorIds}::text[]) and i.is_served and i.slot = ${slot}`);
      const keyOf = (one: Forecast) => JSON.stringify([one.sensorId, one.target, one.origin, one.modelKey]);
      const once = [...new Map([...old, ...found].map((one) => [keyOf(one), one])).values()];
      return once.sort((a, b) => compare(a.sensorId, b.sensorId) || compare(a.target, b.target));
    },

    async leadSeries({ lead, ...query }) {
      const made = await this.forecasts({ ...query, limit: mostOrigins });
      const rows = made.flatMap((one) => leadOf(one, lead));
      return rows.sort((a, b) => compare(a.target, b.target) || a.origin.getTime() - b.origin.getTime());
    },
  };
}

/** More than 400 days of minutes. */
const mostOrigins = 1_000_000;

/** The last issued of each origin and target, the newest `limit` origins, in the query's order. */
function chosen(found: Forecast[], { targets, limit }: ForecastQuery): Forecast[] {
  const last = new Map<string, Forecast>();
  for (const one of found) {
    if (!targets.includes(one.target)) continue;
    const key = JSON.stringify([one.origin, one.target]);
    const known = last.get(key);
    if (known === undefined || known.issuedAt <= one.issuedAt) last.set(key, one);
  }
  const byOrigin = [...Map.groupBy(last.values(), (one) => one.origin.getTime())].sort(([a], [b]) => b - a);
  const place = (one: Forecast) => targets.indexOf(one.target);
  return byOrigin.slice(0, limit).flatMap(([, ofOrigin]) => ofOrigin.sort((a, b) => place(a) - place(b)));
}

function leadOf({ target, unit, origin, stepSeconds, leads, q10, q50, q90 }: Forecast, lead: number): LeadRow[] {
  const h = leads.indexOf(lead);
  return h < 0 ? [] : [{ target, unit, origin, stepSeconds, q10: q10[h]!, q50: q50[h]!, q90: q90[h]! }];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type BeforeViews = Pick<ForecastViews, "latestForecasts" | "newestForecasts" | "forecasts" | "forecastsOfSlot">;

/** The same of `forecast_before`, by its index (sensor_id, target, origin desc) where is_served. */
function forecastsBefore(db: Kysely<PredictorSchema>): BeforeViews {
  return {
    async latestForecasts(sensorIds, targets, asOf) {
      const { rows } = await sql<ForecastRow>`
        select newest.*
        from unnest(${sensorIds}::text[]) with ordinality as wanted (sensor_id, place)
        cross join unnest(${targets}::text[]) with ordinality as wanted_target (target, target_place)
        cross join lateral (
          select * from forecast_before f
          where f.sensor_id = wanted.sensor_id and f.target = wanted_target.target and f.is_served and ${issuedBy("f", asOf)}
          order by f.origin desc, f.issued_at desc
          limit 1
        ) newest
        order by wanted.place, wanted_target.target_place`.execute(db);
      return rows.map(toForecast);
    },

    async newestForecasts(sensorIds) {
      const { rows } = await sql<ForecastRow>`
        select f.* from sensor_state st
        join forecast_before f on f.sensor_id = st.sensor_id and f.is_served and f.slot = st.forecast_slot
          and f.origin <= st.forecast_slot and f.origin > st.forecast_slot - interval '31 days'
        where st.sensor_id = any(${sensorIds}::text[])`.execute(db);
      return rows.map(toForecast);
    },

    async forecasts(query) {
      const { rows } = await sql<ForecastRow>`
        with chosen as (
          select distinct origin
          from unnest(${query.targets}::text[]) as wanted (target)
          cross join lateral (
            select distinct f.origin from forecast_before f
            where f.sensor_id = ${query.sensorId} and f.target = wanted.target and f.is_served and ${within("f", query)}
            order by f.origin desc
            limit ${query.limit}
          ) newest
          order by origin desc
          limit ${query.limit}
        )
        select * from (
          select distinct on (f.origin, f.target) f.*
          from forecast_before f join chosen using (origin)
          where f.sensor_id = ${query.sensorId} and f.target = any(${query.targets}::text[]) and f.is_served
            and ${issuedBy("f", query.asOf)}
          order by f.origin, f.target, f.issued_at desc
        ) as last_issued
        order by origin desc, array_position(${query.targets}::text[], target)`.execute(db);
      return rows.map(toForecast);
    },

    async forecastsOfSlot(sensorIds, slot) {
      // A slot's origins lie at most a few days before it: the bound lets the index find them.
      const { rows } = await sql<ForecastRow>`
        select f.* from forecast_before f
        where f.sensor_id = any(${sensorIds}::text[]) and f.is_served and f.slot = ${slot}
          and f.origin <= ${slot} and f.origin > ${slot}::timestamptz - interval '31 days'
        order by f.sensor_id, f.target`.execute(db);
      return rows.map(toForecast);
    },
  };
}

/** What had been issued by a moment; its origin cannot be later, which the index knows. */
function issuedBy(alias: "f" | "i", asOf: Date | null) {
  if (asOf === null) return sql`true`;
  const of = (column: string) => sql.ref(`${alias}.${column}`);
  const parts = [sql`${of("issued_at")} <= ${asOf}`, sql`${of("origin")} <= ${asOf}`];
  // Nor can its slot, by which days are left out.
  if (alias === "i") parts.push(sql`i.slot <= ${asOf}`);
  return sql.join(parts, sql` and `);
}

function within(alias: "f" | "i", { from, to, asOf }: Pick<ForecastQuery, "from" | "to" | "asOf">) {
  const origin = sql.ref(`${alias}.origin`);
  const parts = [issuedBy(alias, asOf)];
  if (from !== null) parts.push(sql`${origin} >= ${from}`);
  // An origin is never after its slot.
  if (from !== null && alias === "i") parts.push(sql`i.slot >= ${from}`);
  if (to !== null) parts.push(sql`${origin} < ${to}`);
  return sql.join(parts, sql` and `);
}
