import { type Kysely, type Selectable, sql } from "kysely";
import type { AlertPass, Alerts, RuleBook, StandingChange, StoredStanding } from "../../../../core/alert/ports.ts";
import type { Standing } from "../../../../core/alert/state.ts";
import { names, recordset } from "../bulk.ts";
import { column } from "../columns.ts";
import { postgresProfiles } from "../profiles.ts";
import type { PredictorSchema } from "../schema.ts";
import { toRule } from "./rules.ts";

/** Rules at work, on the predictor database. */
export function postgresAlerts(db: Kysely<PredictorSchema>): Alerts {
  const book = bookReader(db);
  return {
    book,

    async standings(sensorIds) {
      if (sensorIds.length === 0) return [];
      const { rows } = await sql<Selectable<PredictorSchema["alert_standing"]>>`
        select * from alert_standing where sensor_id = any(${sensorIds}::text[])`.execute(db);
      return rows.map(toStanding);
    },

    async record(pass) {
      if (pass.changes.length === 0) return markSeen(db, pass);
      return db.transaction().execute(async (transaction) => {
        const counted = await markSeen(transaction, pass);
        const isCounted = new Set(counted);
        const changes = pass.changes.filter(({ sensorId }) => isCounted.has(sensorId));
        await writeStandings(transaction, changes);
        await writeAlerts(transaction, changes, pass.slot);
        await writeNotices(transaction, pass, changes, isCounted);
        return counted;
      });
    },

    async unseen(before, limit) {
      const { rows } = await sql<{ sensor_id: string }>`
        select sensor_id from alert_seen where slot < ${before} and sensor_id <> ''
        order by sensor_id limit ${limit}`.execute(db);
      return rows.map((row) => row.sensor_id);
    },

    async seen(sensorIds) {
      const { rows } = await sql<{ sensor_id: string; slot: Date; evaluated_at: Date }>`
        select * from alert_seen where sensor_id = any(${sensorIds}::text[])`.execute(db);
      return new Map(rows.map((row) => [row.sensor_id, { slot: row.slot, evaluatedAt: row.evaluated_at }]));
    },
  };
}

/** Reads rules and profiles anew only where something has changed them: ten thousand are read in tens of ms. */
function bookReader(db: Kysely<PredictorSchema>): () => Promise<RuleBook> {
  let known: { revision: string; book: RuleBook } | null = null;
  return async () => {
    const { rows } = await sql<{ revision: string }>`select revision::text as revision from alert_revision`.execute(db);
    const revision = rows[0]?.revision ?? "";
    if (known?.revision === revision) return known.book;
    const ruleRows = await db.selectFrom("alert_rule").selectAll().orderBy("rule_id").execute();
    const rules = ruleRows.map(toRule).filter(({ isEnabled }) => isEnabled);
    const profiles = await postgresProfiles(db).all();
    known = { revision, book: { rules, profiles } };
    return known.book;
  };
}

/** One statement; the same order everywhere, so that two who look at the same sensors cannot block each other. */
async function markSeen(db: Kysely<PredictorSchema>, { sensorIds, slot, now }: AlertPass): Promise<string[]> {
  if (sensorIds.length === 0) return [];
  const { rows } = await sql<{ sensor_id: string }>`
    insert into alert_seen (sensor_id, slot, evaluated_at)
    select id, ${slot}, ${now} from unnest(${sensorIds}::text[]) as id order by id
    on conflict (sensor_id) do update set slot = excluded.slot, evaluated_at = excluded.evaluated_at
      where alert_seen.slot < excluded.slot
    returning sensor_id`.execute(db);
  return rows.map((row) => row.sensor_id);
}

const standingColumns = {
  sensor_id: column<string>("text"),
  rule_id: column<string>("text"),
  state: column<Standing["state"]>("text"),
  since: column<Date>("timestamptz"),
  cycles: column<number>("integer"),
  fired_at: column<Date | null>("timestamptz"),
  told_at: column<Date | null>("timestamptz"),
  evidence: column<unknown>("jsonb"),
};

async function writeStandings(db: Kysely<PredictorSchema>, changes: StandingChange[]): Promise<void> {
  const ended = changes.filter(({ standing }) => standing === null);
  if (ended.length > 0) {
    await sql`
      delete from alert_standing using unnest(${ended.map((one) => one.sensorId)}::text[],
        ${ended.map((one) => one.rule.ruleId)}::text[]) as e (sensor_id, rule_id)
      where alert_standing.sensor_id = e.sensor_id and alert_standing.rule_id = e.rule_id`.execute(db);
  }
  const rows = changes.flatMap(({ rule, sensorId, standing, evidence }) => {
    if (standing === null) return [];
    const { state, since, cycles, firedAt, toldAt } = standing;
    const times = { since, fired_at: firedAt, told_at: toldAt };
    return [{ sensor_id: sensorId, rule_id: rule.ruleId, state, cycles, ...times, evidence }];
  });
  if (rows.length === 0) return;
  // A rule that was deleted meanwhile has no standings any more.
  await sql`
    insert into alert_standing (${names(standingColumns)}) select ${names(standingColumns, "s")}
    from ${recordset(rows, "s", standingColumns)} join alert_rule r using (rule_id) order by sensor_id, rule_id
    on conflict (sensor_id, rule_id) do update set state = excluded.state, since = excluded.since,
      cycles = excluded.cycles, fired_at = excluded.fired_at, told_at = excluded.told_at,
      evidence = excluded.evidence`.execute(db);
}

const alertColumns = {
  rule_id: column<string>("text"),
  sensor_id: column<string>("text"),
  rule_name: column<string>("text"),
  severity: column<string>("text"),
  fired_at: column<Date>("timestamptz"),
  evidence: column<unknown>("jsonb"),
  text: column<string>("text"),
};

async function writeAlerts(db: Kysely<PredictorSchema>, changes: StandingChange[], slot: Date): Promise<void> {
  const fired = changes.flatMap(({ rule, sensorId, fired, evidence }) =>
    fired === undefined
      ? []
      : [
          {
            ...{ rule_id: rule.ruleId, sensor_id: sensorId, rule_name: rule.name, severity: rule.severity },
            ...{ fired_at: slot, evidence, text: fired.text },
          },
        ],
  );
  if (fired.length > 0) {
    await sql`
      insert into alert (${names(alertColumns)}) select ${names(alertColumns)}
      from ${recordset(fired, "a", alertColumns)} on conflict do nothing`.execute(db);
  }
  const cleared = changes.filter((one) => one.cleared);
  if (cleared.length === 0) return;
  await sql`
    update alert set cleared_at = ${slot} from unnest(${cleared.map((one) => one.rule.ruleId)}::text[],
      ${cleared.map((one) => one.sensorId)}::text[]) as e (rule_id, sensor_id)
    where alert.rule_id = e.rule_id and alert.sensor_id = e.sensor_id and cleared_at is null`.execute(db);
}

const noticeColumns = {
  key: column<string>("text"),
  channel_id: column<string>("text"),
  rule_id: column<string>("text"),
  sensor_id: column<string>("text"),
  kind: column<string>("text"),
  body: column<unknown>("jsonb"),
  due_at: column<Date>("timestamptz"),
};

async function writeNotices(
  db: Kysely<PredictorSchema>,
  { notices, writtenAt }: AlertPass,
  changes: StandingChange[],
  isCounted: Set<string>,
): Promise<void> {
  const saw = changes.filter((one) => one.saw);
  if (saw.length > 0) {
    await sql`
      delete from notification n using unnest(${saw.map((one) => one.rule.ruleId)}::text[],
        ${saw.map((one) => one.sensorId)}::text[]) as e (rule_id, sensor_id)
      where n.rule_id = e.rule_id and n.sensor_id = e.sensor_id and n.kind = 'blinded' and n.batch is null
        and n.delivered_at is null and n.given_up_at is null`.execute(db);
  }
  const rows = notices
    .filter(({ sensorId }) => isCounted.has(sensorId))
    .map(({ channelId, ruleId, sensorId, notice, dueAt }) => ({
      ...{ key: notice.idempotencyKey, channel_id: channelId, rule_id: ruleId, sensor_id: sensorId },
      ...{ kind: notice.kind, body: notice, due_at: dueAt },
    }));
  if (rows.length === 0) return;
  await sql`
    insert into notification (${names(noticeColumns)}, created_at)
    select ${names(noticeColumns, "n")}, ${writtenAt} from ${recordset(rows, "n", noticeColumns)}
    join alert_channel c using (channel_id) where c.is_enabled
    on conflict do nothing`.execute(db);
}

function toStanding(row: Selectable<PredictorSchema["alert_standing"]>): StoredStanding {
  const { sensor_id: sensorId, rule_id: ruleId, state, since, cycles, fired_at, told_at, evidence } = row;
  const times = { since, firedAt: fired_at, toldAt: told_at };
  return { sensorId, ruleId, state, cycles, ...times, evidence: evidence as StoredStanding["evidence"] };
}
