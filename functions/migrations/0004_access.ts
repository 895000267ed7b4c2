import { type Kysely, sql } from "kysely";

/** Who may do what, and who did: API keys, sessions, one-time links, the audit. Of every secret only its SHA-256. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const sha256 = "text not null check (sha256 ~ '^[0-9a-f]{64}$')";

const statements = [
  `create table api_key (
    key_id text primary key,
    name text not null,
    scopes text[] not null check (cardinality(scopes) > 0),
    sha256 ${sha256},
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  `create table session (
    sha256 ${sha256} primary key,
    actor_kind text not null,
    actor_id text not null,
    actor_name text not null,
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  `create table sign_in_link (
    sha256 ${sha256} primary key,
    expires_at timestamptz not null
  )`,
  `create table audit (
    audit_id bigint generated always as identity primary key,
    at timestamptz not null,
    actor_kind text not null,
    actor_id text not null,
    actor_name text not null,
    action text not null,
    object text,
    address text,
    request_id text,
    result text not null
  )`,
  "create index audit_at on audit (at)",
  "create index audit_of_actor on audit (actor_id, action, at)",
];
