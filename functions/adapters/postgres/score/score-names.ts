import { type Kysely, sql } from "kysely";
import type { Score } from "../../../../core/forecast/score.ts";
import type { PredictorSchema } from "../schema.ts";

/** Years of sensors and models. */
const mostKnown = 500_000;

type Names = Pick<Score, "sensorId" | "target" | "modelKey">;
/** A target and a model. */
export type Kind = Pick<Score, "target" | "modelKey">;

/** Sees to it, once each, that sensors, targets and models have their numbers, and tells those of the latter. */
export function scoreNames(db: Kysely<PredictorSchema>) {
  const sensors = new Set<string>();
  const numbers = new Map<string, Map<string, number>>();
  const kinds = new Map<number, Kind>();
  const known = ({ target, modelKey }: Kind) => numbers.get(target)?.get(modelKey);

  async function read(where: ReturnType<typeof sql>): Promise<void> {
    const { rows } = await sql<Kind & { no: number }>`
      select kind_no as no, target, model_key as "modelKey" from score_kind where ${where}`.execute(db);
    for (const { no, target, modelKey } of rows) {
      const ofTarget = numbers.get(target) ?? new Map<string, number>();
      numbers.set(target, ofTarget.set(modelKey, no));
      kinds.set(no, { target, modelKey });
    }
  }

  return {
    async prepare(names: Names[]): Promise<void> {
      if (sensors.size > mostKnown) sensors.clear();
      if (kinds.size > mostKnown) for (const one of [numbers, kinds]) one.clear();
      const fresh = names.filter((one) => !sensors.has(one.sensorId) || known(one) === undefined);
      if (fresh.length === 0) return;
      await numberNames(db, fresh);
      const models = [...new Set(fresh.map(({ modelKey }) => modelKey))];
      await read(sql`model_key = any(${models}::text[])`);
      for (const { sensorId } of fresh) sensors.add(sensorId);
    },

    /** Of a kind that is prepared. */
    numberOf: (kind: Kind): number => known(kind)!,

    /** The kinds of these numbers. */
    async kindsOf(wanted: number[]): Promise<Map<number, Kind>> {
      const missing = [...new Set(wanted)].filter((no) => !kinds.has(no));
      if (missing.length > 0) await read(sql`kind_no = any(${missing}::integer[])`);
      return kinds;
    },
  };
}

/** Who comes second finds the numbers of the first. */
export async function numberNames(db: Kysely<PredictorSchema>, names: Names[]): Promise<void> {
  const sensorIds = [...new Set(names.map(({ sensorId }) => sensorId))];
  await sql`
    insert into sensor_key (sensor_id) select id from unnest(${sensorIds}::text[]) as id
    where not exists (select from sensor_key where sensor_id = id) order by id on conflict do nothing`.execute(db);
  const kinds = new Map(names.map(({ target, modelKey }) => [JSON.stringify([target, modelKey]), [target, modelKey]]));
  const [targets, models] = [0, 1].map((i) => [...kinds.values()].map((kind) => kind[i]!));
  await sql`
    insert into score_kind (target, model_key)
    select target, model_key from unnest(${targets}::text[], ${models}::text[]) as u (target, model_key)
    where not exists (select from score_kind q where q.target = u.target and q.model_key = u.model_key)
    order by target, model_key on conflict do nothing`.execute(db);
}
