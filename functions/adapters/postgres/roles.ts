import { randomBytes } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { PredictorSchema } from "./schema.ts";

/** Who works on the predictor database; the role that migrates owns the tables and grants these. */
export const roleNames = { worker: "forecaster_worker", api: "forecaster_api" } as const;
type RoleName = keyof typeof roleNames;

/**
 * Tables that only the API may see: whose secrets and whose acts they hold. Workers add to the audit, and read nothing
 * of it.
 */
const guarded = ["api_key", "session", "sign_in_link", "audit"];

/**
 * Statements, safe to repeat, that make the two roles and give each what it needs and nothing more: the workers write
 * forecasts and see no key; the API reads forecasts and writes only keys, sessions, the audit, a new sensor's id, what
 * people call it and say of its time, and a model's status. To be run by the owner of the tables, again after each
 * migration. Passwords are given apart.
 */
export function rolesSql(): string[] {
  const { worker, api } = roleNames;
  const make = (role: string) =>
    `do $$ begin if not exists (select from pg_roles where rolname = '${role}') then create role ${role} login; end if; end $$`;
  const inBoss = (statement: string) =>
    `do $$ begin if to_regnamespace('pgboss') is not null then ${statement}; end if; end $$`;
  return [
    make(worker),
    make(api),
    `grant usage on schema public to ${worker}, ${api}`,
    `revoke create on schema public from public`,
    `revoke all on all tables in schema public from ${worker}, ${api}`,
    `grant select, insert, update, delete on all tables in schema public to ${worker}`,
    `revoke all on ${guarded.join(", ")} from ${worker}`,
    `grant insert on audit to ${worker}`,
    `revoke insert, update, delete on kysely_migration, kysely_migration_lock from ${worker}`,
    `grant select on all tables in schema public to ${api}`,
    `grant insert on sensor to ${api}`,
    `grant insert, update on sensor_profile to ${api}`,
    // People annotate; what is to be done anew because of it the workers find there.
    `grant insert, update on annotation to ${api}`,
    `grant insert on annotation_anew to ${api}`,
    // People change rules and channels, and say that they have seen an alert; a test is a notification.
    `grant insert, update, delete on alert_rule, alert_channel to ${api}`,
    `grant update on alert to ${api}`,
    `grant delete on alert_standing to ${api}`,
    `grant insert on notification to ${api}`,
    `grant update (status, status_reason, promoted_at, retired_at) on model to ${api}`,
    `grant update (status, status_reason, promoted_at, retired_at) on fleet to ${api}`,
    `grant insert, update, delete on api_key, session, sign_in_link to ${api}`,
    // Entries are added, and go when they are old; nobody rewrites them.
    `grant insert, delete on audit to ${api}`,
    `grant execute on function drop_day(text, date), drop_mix(date) to ${worker}`,
    `grant usage on all sequences in schema public to ${worker}, ${api}`,
    inBoss(`grant usage on schema pgboss to ${worker}, ${api}`),
    inBoss(`grant select, insert, update, delete on all tables in schema pgboss to ${worker}`),
    inBoss(`grant execute on all functions in schema pgboss to ${worker}`),
    inBoss(`grant select on all tables in schema pgboss to ${api}`),
  ];
}

/** The statements as a script for psql, with a line per password. */
export function rolesScript(): string {
  const passwords = Object.values(roleNames).map((role) => `-- \\password ${role}`);
  return `${[...rolesSql().map((statement) => `${statement};`), ...passwords].join("\n")}\n`;
}

/** Makes the roles with a fresh password and gives the URL of one; for databases of our own, whose owner we are. */
export async function grantRole(db: Kysely<PredictorSchema>, url: string, name: RoleName): Promise<string> {
  const password = randomBytes(24).toString("hex");
  await db.transaction().execute(async (transaction) => {
    for (const statement of rolesSql()) await sql.raw(statement).execute(transaction);
    await sql.raw(`alter role ${roleNames[name]} password '${password}'`).execute(transaction);
  });
  return Object.assign(new URL(url), { username: roleNames[name], password }).href;
}
