import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";
import { AppError } from "../../../../core/errors.ts";
import type { FleetRegistryWriter, RegistryReader } from "../../../../core/model/ports.ts";
import type { ModelStatus, RegisteredFleet } from "../../../../core/model/registered.ts";
import { moveRevision } from "../revision.ts";
import type { PredictorSchema } from "../schema.ts";

/**
 * Versions of fleets' networks in the predictor database. What concerns a version and its sensors' models is one
 * transaction; the version's row is locked first, so that two of them come after each other.
 */
export function postgresFleets(db: Kysely<PredictorSchema>): FleetRegistryWriter & FleetReader {
  const inOne = async <T>(work: (trx: Transaction<PredictorSchema>) => Promise<T>) => {
    const done = await db.transaction().execute(work);
    await moveRevision(db);
    return done;
  };
  return {
    fleets: (limit) => readFleets(db, sql`order by created_at desc, fleet_id desc limit ${limit}`),

    currentFleets: () =>
      readFleets(
        db,
        sql`where status <> 'retired' or fleet_id in (
            select distinct on (group_path) fleet_id from fleet order by group_path, created_at desc, fleet_id desc)
          order by created_at desc, fleet_id desc`,
      ),

    fleet: async (fleetId) => (await readFleets(db, sql`where fleet_id = ${fleetId}`))[0] ?? null,

    async registerFleet({ fleetId, digest, group, statusReason, now }) {
      const inserted = await db
        .insertInto("fleet")
        .values({
          ...{ fleet_id: fleetId, group_path: group, digest, status: "challenger", status_reason: statusReason },
          ...{ created_at: now, promoted_at: null, retired_at: null },
        })
        .onConflict((conflict) => conflict.column("fleet_id").doNothing())
        .returning("fleet_id")
        .executeTakeFirst();
      if (inserted !== undefined) return;
      const known = await db
        .selectFrom("fleet")
        .select("digest")
        .where("fleet_id", "=", fleetId)
        .executeTakeFirstOrThrow();
      if (known.digest === digest) return;
      throw new AppError("conflict", `fleet ${fleetId} is registered with digest ${known.digest}, not ${digest}`);
    },

    promoteFleet: (fleetId, { kept, reason, now }) =>
      inOne(async (trx) => {
        const { status, group_path: group } = await lockFleet(trx, fleetId);
        if (status === "champion") return 0;
        await trx
          .updateTable("fleet")
          .set({ status: "retired", status_reason: `followed by ${fleetId}`, retired_at: now })
          .where("group_path", "=", group)
          .where("status", "=", "champion")
          .execute();
        await trx
          .updateTable("fleet")
          .set({ status: "champion", status_reason: reason, promoted_at: now, retired_at: null })
          .where("fleet_id", "=", fleetId)
          .execute();
        await retireKept(trx, fleetId, kept, now);
        return follow(trx, fleetId, reason, now);
      }),

    rollbackFleet: (group, reason, now) =>
      inOne(async (trx) => {
        const champion = await trx
          .selectFrom("fleet")
          .selectAll()
          .where("group_path", "=", group)
          .where("status", "=", "champion")
          .forUpdate()
          .executeTakeFirst();
        const before = await trx
          .selectFrom("fleet")
          .selectAll()
          .where("group_path", "=", group)
          .where("status", "=", "retired")
          .where("promoted_at", "is not", null)
          .where("retired_at", "<=", champion?.promoted_at ?? null)
          .orderBy("retired_at", "desc")
          .limit(1)
          .forUpdate()
          .executeTakeFirst();
        const back = before ?? (group === "" ? undefined : await commonFleet(trx));
        if (!champion || !back) return null;
        await trx
          .updateTable("fleet")
          .set({ status: "retired", status_reason: reason, retired_at: now })
          .where("fleet_id", "=", champion.fleet_id)
          .execute();
        await trx
          .updateTable("fleet")
          .set({ status: "champion", status_reason: reason, retired_at: null })
          .where("fleet_id", "=", back.fleet_id)
          .where("status", "<>", "champion")
          .execute();
        return { fleetId: back.fleet_id, sensors: await goBack(trx, champion.fleet_id, reason, now) };
      }),

    retireFleet: (fleetId, reason, now) =>
      inOne(async (trx) => {
        const { status } = await lockFleet(trx, fleetId);
        if (status === "champion") {
          throw new AppError("conflict", `fleet ${fleetId} is champion: roll back instead`);
        }
        const change = { status: "retired", status_reason: reason, retired_at: now };
        for (const table of ["fleet", "model"] as const) {
          await trx
            .updateTable(table)
            .set(change)
            .where("fleet_id", "=", fleetId)
            .where("status", "=", "challenger")
            .execute();
        }
      }),
  };
}

type FleetReader = Pick<RegistryReader, "fleets" | "currentFleets" | "fleet">;

/** Versions with how many sensors each forecasts and is on trial at; `which` are the clauses after the join. */
async function readFleets(db: Kysely<PredictorSchema>, which: RawBuilder<unknown>): Promise<RegisteredFleet[]> {
  const { rows } = await sql<Omit<RegisteredFleet, "status"> & { status: string }>`
    select fleet_id as "fleetId", group_path as "group", digest, status, status_reason as "statusReason",
      created_at as "createdAt", promoted_at as "promotedAt", retired_at as "retiredAt", champions, challengers
    from fleet left join lateral (
      select count(*) filter (where model.status = 'champion')::integer as champions,
        count(*) filter (where model.status = 'challenger')::integer as challengers
      from model where model.fleet_id = fleet.fleet_id and model.status <> 'retired'
    ) as sensors on true
    ${which}`.execute(db);
  return rows.map((row) => ({ ...row, status: row.status as ModelStatus }));
}

/** What serves the sensors that are in no group with a network of its own. */
async function commonFleet(trx: Transaction<PredictorSchema>) {
  return trx
    .selectFrom("fleet")
    .selectAll()
    .where("group_path", "=", "")
    .where("status", "=", "champion")
    .executeTakeFirst();
}

async function lockFleet(trx: Transaction<PredictorSchema>, fleetId: string) {
  const row = await trx
    .selectFrom("fleet")
    .select(["status", "group_path"])
    .where("fleet_id", "=", fleetId)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new AppError("notFound", `there is no fleet ${fleetId}`);
  return row;
}

async function retireKept(
  trx: Transaction<PredictorSchema>,
  fleetId: string,
  kept: { sensorId: string; reason: string }[],
  now: Date,
): Promise<void> {
  await sql`
    update model set status = 'retired', status_reason = kept.reason, retired_at = ${now}
    from unnest(${kept.map(({ sensorId }) => sensorId)}::text[], ${kept.map(({ reason }) => reason)}::text[])
      as kept (sensor_id, reason)
    where model.fleet_id = ${fleetId} and model.status = 'challenger' and model.sensor_id = kept.sensor_id`.execute(
    trx,
  );
}

/** The version's challengers in the place of champions of other versions; each sensor's newest where it has several. */
async function follow(trx: Transaction<PredictorSchema>, fleetId: string, reason: string, now: Date): Promise<number> {
  const { rows } = await sql<{ before: string; after: string }>`
    select distinct on (rival.sensor_id) champion.model_id as before, rival.model_id as after
    from model as rival join model as champion on champion.sensor_id = rival.sensor_id
      and champion.status = 'champion' and champion.fleet_id <> rival.fleet_id
    where rival.fleet_id = ${fleetId} and rival.status = 'challenger'
    order by rival.sensor_id, rival.created_at desc, rival.model_id desc`.execute(trx);
  await replace(trx, rows, { before: null, after: reason }, { now, isNew: true });
  return rows.length;
}

/** The version's champions give way to the champions of other makes that they followed. */
async function goBack(trx: Transaction<PredictorSchema>, fleetId: string, reason: string, now: Date): Promise<number> {
  const { rows } = await sql<{ before: string; after: string }>`
    select distinct on (champion.sensor_id) champion.model_id as before, earlier.model_id as after
    from model as champion join model as earlier on earlier.sensor_id = champion.sensor_id
      and earlier.status = 'retired' and earlier.promoted_at is not null
      and earlier.fleet_id is distinct from champion.fleet_id and earlier.retired_at <= champion.promoted_at
    where champion.fleet_id = ${fleetId} and champion.status = 'champion'
    order by champion.sensor_id, earlier.retired_at desc, earlier.model_id`.execute(trx);
  await replace(trx, rows, { before: reason, after: reason }, { now, isNew: false });
  return rows.length;
}

/** Champions change, all old ones first: the index allows one a sensor at any moment. */
async function replace(
  trx: Transaction<PredictorSchema>,
  pairs: { before: string; after: string }[],
  reasons: { before: string | null; after: string },
  { now, isNew }: { now: Date; isNew: boolean },
): Promise<void> {
  const [before, after] = [pairs.map((pair) => pair.before), pairs.map((pair) => pair.after)];
  const given = sql`unnest(${before}::text[], ${after}::text[]) as pair (before, after)`;
  await sql`select model_id from model where model_id = any(${[...before, ...after]}::text[])
    order by model_id for update`.execute(trx);
  await sql`update model set status = 'retired', retired_at = ${now},
      status_reason = coalesce(${reasons.before}::text, 'followed by ' || pair.after)
    from ${given} where model.model_id = pair.before`.execute(trx);
  await sql`update model set status = 'champion', status_reason = ${reasons.after}, retired_at = null,
      promoted_at = case when ${isNew}::boolean then ${now}::timestamptz else promoted_at end
    from ${given} where model.model_id = pair.after`.execute(trx);
}
