import { type Kysely, sql } from "kysely";
import type { Forecast, ForecastQuery, LeadRow } from "../../../../core/forecast/forecast.ts";
import { issuedFields, issuedReader, packField, withPack } from "../forecast/issued.ts";
import type { IssuedRow } from "../forecast/issued-row.ts";
import type { PredictorSchema } from "../schema.ts";
import { type ForecastViews, issuedBy, lookBack, slotsEnd, within } from "./forecast-range.ts";
import { forecastsBefore } from "./forecasts-before.ts";

/** Served forecasts, newest slots by the primary key; what is left of the table of before is read along. */
export function forecastViews(db: Kysely<PredictorSchema>): ForecastViews {
  const issued = issuedReader(db);
  const before = forecastsBefore(db);
  // Read before `issued`: what moves from one to the other meanwhile is met twice, and never missed.
  const orBefore = async (read: () => Promise<Forecast[]>) => ((await issued.hasBefore()) ? read() : []);

  /** The newest slots that served, by sensor. */
  async function servedSlots(sensorIds: string[]): Promise<Map<string, Date>> {
    const { rows } = await sql<{ id: string; slot: Date }>`
      select sensor_id as id, forecast_slot as slot from sensor_state
      where sensor_id = any(${sensorIds}::text[]) and forecast_slot is not null`.execute(db);
    return new Map(rows.map(({ id, slot }) => [id, slot]));
  }

  /** The newest row of each of these sensors and targets since a slot. */
  function newestSince(wanted: Wanted[], since: Date | null, asOf: Date | null): Promise<Forecast[]> {
    const [ids, targets] = [wanted.map(({ sensorId }) => sensorId), wanted.map(({ target }) => target)];
    return issued.forecasts(sql<IssuedRow>`
      select ${issuedFields(packField)} from (
        select distinct newest.* from unnest(${ids}::text[], ${targets}::text[]) as w (sensor_id, target)
        join sensor_key as own using (sensor_id)
        cross join lateral (
          select i.* from issued i join lineage l using (lineage_id)
          where i.sensor_no = own.sensor_no and i.is_served and l.targets @> array[w.target]
            and ${since === null ? sql`true` : sql`i.slot >= ${since}`} and ${issuedBy("i", asOf)}
          order by i.slot desc, i.issued_at desc
          limit 1
        ) newest
      ) as i join sensor_key k using (sensor_no) ${withPack}`);
  }

  /** The newest `limit` origins among the query's that lie at `since` or later. */
  function originsSince({ limit, ...query }: ForecastQuery, since: Date | null, spanSeconds: number) {
    const end = slotsEnd(query.to, spanSeconds);
    const from = query.from !== null && (since === null || query.from > since) ? query.from : since;
    const range = sql.join(
      [within("i", { ...query, from }), end === null ? sql`true` : sql`i.slot < ${end}`],
      sql` and `,
    );
    return issued.forecasts(sql<IssuedRow>`
      select ${issuedFields(packField)}
      from sensor_key k join issued i using (sensor_no) join lineage l using (lineage_id) ${withPack}
      where k.sensor_id = ${query.sensorId} and ${range} and i.is_served and l.targets && ${query.targets}::text[]
        and i.origin in (
          select distinct i.origin from issued i join sensor_key k using (sensor_no) join lineage l using (lineage_id)
          where k.sensor_id = ${query.sensorId} and ${range} and i.is_served and l.targets && ${query.targets}::text[]
          order by i.origin desc
          limit ${limit}
        )`);
  }

  async function newestOrigins(query: ForecastQuery): Promise<Forecast[]> {
    const { from, to, asOf, sensorId, limit } = query;
    const span = to === null ? 0 : await issued.spanSeconds();
    const served = (await servedSlots([sensorId])).get(sensorId) ?? null;
    for (const since of lookBack(earliest([to, asOf, served]))) {
      const isAll = since === null || (from !== null && from >= since);
      const found = await originsSince(query, since, span);
      if (isAll || new Set(found.map(({ origin }) => origin.getTime())).size >= limit) return found;
    }
    return [];
  }

  return {
    async latestForecasts(sensorIds, targets, asOf) {
      const old = await orBefore(() => before.latestForecasts(sensorIds, targets, asOf));
      const newest = new Map<string, Forecast>();
      const add = (one: Forecast) => {
        const known = newest.get(nameOf(one));
        if (known === undefined || known.slot <= one.slot) newest.set(nameOf(one), one);
      };
      for (const one of old) add(one);
      const found = new Set<string>();
      const wanted = sensorIds.flatMap((sensorId) => targets.map((target) => ({ sensorId, target })));
      const served = await servedSlots(sensorIds);
      for (const since of lookBack(earliest([asOf, ...served.values()]))) {
        const missing = wanted.filter((one) => !found.has(nameOf(one)));
        if (missing.length === 0) break;
        for (const one of await newestSince(missing, since, asOf)) {
          found.add(nameOf(one));
          add(one);
        }
      }
      return wanted.flatMap((one) => newest.get(nameOf(one)) ?? []);
    },

    async newestForecasts(sensorIds, { withMix }) {
      const fields = issuedFields(withMix ? packField : sql`null`);
      const old = await orBefore(() => before.newestForecasts(sensorIds, { withMix }));
      const slots = await servedSlots(sensorIds);
      const own = [...slots.values()];
      // The list of all slots says it before the rows are met: then no other day is planned for.
      const found = await issued.forecasts(
        sql<IssuedRow>`
        select ${fields} from unnest(${[...slots.keys()]}::text[], ${own}::timestamptz[]) as w (sensor_id, slot)
        join sensor_key k using (sensor_id) join issued i on i.sensor_no = k.sensor_no and i.slot = w.slot and i.is_served
        ${withMix ? withPack : sql``}
        where i.slot = any(${[...new Set(own.map((slot) => slot.toISOString()))]}::timestamptz[])`,
        { withShares: withMix },
      );
      const last = new Map<string, Forecast>();
      for (const one of [...old, ...found]) {
        const known = last.get(nameOf(one));
        if (known === undefined || known.issuedAt <= one.issuedAt) last.set(nameOf(one), one);
      }
      return [...last.values()];
    },

    async forecasts(query) {
      const old = await orBefore(() => before.forecasts(query));
      return chosen([...old, ...(await newestOrigins(query))], query);
    },

    async forecastsOfSlot(sensorIds, slot) {
      const old = await orBefore(() => before.forecastsOfSlot(sensorIds, slot));
      const found = await issued.forecasts(sql<IssuedRow>`
        select ${issuedFields(packField)} from sensor_key k join issued i using (sensor_no) ${withPack}
        where k.sensor_id = any(${sensorIds}::text[]) and i.is_served and i.slot = ${slot}`);
      const keyOf = (one: Forecast) => JSON.stringify([nameOf(one), one.origin, one.modelKey]);
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

type Wanted = { sensorId: string; target: string };

function nameOf({ sensorId, target }: Wanted): string {
  return JSON.stringify([sensorId, target]);
}

/** The earliest that there is. */
function earliest(moments: (Date | null)[]): Date | null {
  return moments.reduce((a, b) => (a === null || (b !== null && b < a) ? b : a), null);
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
