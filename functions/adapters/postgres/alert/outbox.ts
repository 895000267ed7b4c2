import { createHash } from "node:crypto";
import { type Kysely, type Selectable, sql } from "kysely";
import { type Channel, ChannelSettings, type ChannelStore, tellsEach } from "../../../../core/alert/channel.ts";
import type { Batch, Outbox } from "../../../../core/alert/outbox.ts";
import type { Notice } from "../../../../core/alert/ports.ts";
import { resolveSecret, type Secrets } from "../../../../core/alert/secret.ts";
import type { Seal } from "../../sealed.ts";
import type { PredictorSchema } from "../schema.ts";

type Row = Selectable<PredictorSchema["alert_channel"]>;
type Open = {
  notification_id: string;
  key: string;
  rule_id: string;
  kind: string;
  due_at: Date;
  batch: string | null;
  attempts: number;
};

/** More at once than these go out as one digest; that has at most so many. */
const mostSingle = 5;
const mostInDigest = 100;
/** Open ones that are looked at for the next: what lies behind them waits its turn. */
const mostLookedAt = 20_000;

/** Channels in the predictor database, secrets under `seal`. */
export function postgresChannels(db: Kysely<PredictorSchema>, seal: Seal): ChannelStore {
  return {
    async list() {
      return (await db.selectFrom("alert_channel").selectAll().orderBy("name").orderBy("channel_id").execute()).map(
        toChannel,
      );
    },
    async get(channelId) {
      const row = await db
        .selectFrom("alert_channel")
        .selectAll()
        .where("channel_id", "=", channelId)
        .executeTakeFirst();
      return row === undefined ? null : toChannel(row);
    },
    async save({ channelId, name, isEnabled, settings, createdAt, createdBy }, secret) {
      const kept = secret === undefined ? {} : { secret: secret === null ? null : seal.close(secret, channelId) };
      const body = { name, is_enabled: isEnabled, settings: JSON.stringify(settings) };
      await db
        .insertInto("alert_channel")
        .values({ channel_id: channelId, ...body, secret: null, ...kept, created_at: createdAt, created_by: createdBy })
        .onConflict((conflict) => conflict.column("channel_id").doUpdateSet({ ...body, ...kept }))
        .execute();
    },
    async remove(channelId) {
      const { numDeletedRows } = await db
        .deleteFrom("alert_channel")
        .where("channel_id", "=", channelId)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async deliveries(channelId, limit) {
      const rows = await db
        .selectFrom("delivery")
        .selectAll()
        .where("channel_id", "=", channelId)
        .orderBy("delivery_id", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        ...{ key: row.key, notifications: row.notifications, attempt: row.attempt, at: row.at },
        ...{ elapsedMs: row.elapsed_ms, isOk: row.is_ok, detail: row.detail },
      }));
    },
  };
}

const noSecrets: Secrets = { prefix: null, find: async () => null };

/** The outbox; channels may refer to `secrets`. Who works on a channel holds its lease: there is one at a time. */
export function postgresOutbox(db: Kysely<PredictorSchema>, seal: Seal, secrets: Secrets = noSecrets): Outbox {
  return {
    async channel(channelId) {
      const row = await db
        .selectFrom("alert_channel")
        .selectAll()
        .where("channel_id", "=", channelId)
        .executeTakeFirst();
      if (row === undefined || !row.is_enabled) return null;
      const channel = toChannel(row);
      const stored = row.secret && seal.open(row.secret, channelId);
      return { ...channel, secret: await resolveSecret(stored, channel.settings, channelId, secrets) };
    },

    async add({ channelId, ruleId, sensorId, notice, dueAt }, now) {
      const head = { key: notice.idempotencyKey, channel_id: channelId, rule_id: ruleId, sensor_id: sensorId };
      await db
        .insertInto("notification")
        .values({
          ...head,
          ...{ kind: notice.kind, body: JSON.stringify(notice), created_at: now, due_at: dueAt },
          ...{ batch: null, delivered_at: null, given_up_at: null },
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },

    async next(channelId, now) {
      const { rows } = await sql<Open>`
        select notification_id, key, rule_id, kind, due_at, batch, attempts from notification
        where channel_id = ${channelId} and delivered_at is null and given_up_at is null
        order by notification_id limit ${mostLookedAt}`.execute(db);
      const begun = rows.find((row) => row.batch !== null && row.due_at <= now);
      if (begun !== undefined) return load(db, channelId, begun.batch!);
      const chosen = choose(rows, now, await countOfBatch(db, channelId));
      if (chosen.length === 0) return null;
      // Stored before it is sent: whoever tries again sends the same under the same key.
      const batch = chosen.length === 1 ? chosen[0]!.key : digestKey(chosen);
      await sql`update notification set batch = ${batch}
        where notification_id = any(${chosen.map((row) => row.notification_id)}::bigint[])`.execute(db);
      return load(db, channelId, batch);
    },

    async settle(channelId, { key }, { attempt, at, elapsedMs, isOk, detail, notifications }, againAt) {
      await db.transaction().execute(async (transaction) => {
        const change = isOk
          ? sql`delivered_at = ${at}`
          : againAt === null
            ? sql`given_up_at = ${at}`
            : sql`due_at = ${againAt}`;
        await sql`update notification set ${change}, attempts = ${attempt}
          where channel_id = ${channelId} and batch = ${key} and delivered_at is null and given_up_at is null`.execute(
          transaction,
        );
        const head = { channel_id: channelId, key, notifications, attempt };
        await transaction
          .insertInto("delivery")
          .values({ ...head, at, elapsed_ms: elapsedMs, is_ok: isOk, detail })
          .execute();
      });
    },

    async waiting() {
      const { rows } = await sql<{ channel_id: string; due_at: Date }>`
        select channel_id, min(due_at) as due_at from (
          select distinct on (channel_id, rule_id) channel_id, due_at
          from notification join alert_channel c using (channel_id)
          where delivered_at is null and given_up_at is null and c.is_enabled
          order by channel_id, rule_id, notification_id
        ) as head group by 1 order by 1`.execute(db);
      return rows.map((row) => ({ channelId: row.channel_id, dueAt: row.due_at }));
    },
  };
}

/** Each rule's oldest that is due, and what is due behind it; all blindness together, once the first of it is due. */
function choose(rows: Open[], now: Date, mostAtOnce: number): Open[] {
  const fresh = rows.filter((row) => row.batch === null);
  const held = new Set(rows.filter((row) => row.batch !== null).map((row) => row.rule_id));
  const free = fresh.filter((row) => !held.has(row.rule_id));
  const blind = free.filter((row) => row.kind === "blinded");
  const isBlindDue = blind.some((row) => row.due_at <= now);
  const blocked = new Set<string>();
  const due: Open[] = [];
  for (const row of free) {
    const isDue = row.kind === "blinded" ? isBlindDue : row.due_at <= now;
    if (!isDue) blocked.add(row.rule_id);
    else if (!blocked.has(row.rule_id)) due.push(row);
  }
  // Blindness comes as one notice by itself, whatever else happens.
  const first = due[0];
  if (first === undefined) return [];
  const alike = due.filter((row) => (row.kind === "blinded") === (first.kind === "blinded"));
  if (first.kind === "blinded") return alike.slice(0, mostAtOnce);
  return alike.length > mostSingle ? alike.slice(0, mostInDigest) : [first];
}

/** Blindness is one message however much of it there is, unless the kind tells each notice: then none is left out. */
async function countOfBatch(db: Kysely<PredictorSchema>, channelId: string): Promise<number> {
  const row = await db
    .selectFrom("alert_channel")
    .select("settings")
    .where("channel_id", "=", channelId)
    .executeTakeFirst();
  const isEach = row !== undefined && tellsEach(ChannelSettings.parse(row.settings).kind);
  return isEach ? mostInDigest : mostLookedAt;
}

function digestKey(rows: Open[]): string {
  const hash = createHash("sha256");
  for (const { key } of rows) hash.update(key).update("\n");
  return `digest-${hash.digest("hex").slice(0, 40)}`;
}

async function load(db: Kysely<PredictorSchema>, channelId: string, key: string): Promise<Batch> {
  const { rows } = await sql<{ body: Notice; attempts: number; total: number }>`
    select body, attempts, count(*) over ()::int as total from notification
    where channel_id = ${channelId} and batch = ${key} and delivered_at is null and given_up_at is null
    order by notification_id limit ${mostInDigest}`.execute(db);
  const notices = rows.map(({ body }) => body);
  return { key, notices, total: rows[0]?.total ?? 0, attempts: rows[0]?.attempts ?? 0 };
}

function toChannel(row: Row): Channel {
  return {
    ...{ channelId: row.channel_id, name: row.name, isEnabled: row.is_enabled, hasSecret: row.secret !== null },
    settings: ChannelSettings.parse(row.settings),
    ...{ createdAt: row.created_at, createdBy: row.created_by },
  };
}
