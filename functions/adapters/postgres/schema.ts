import type { ColumnType, Generated, GeneratedAlways } from "kysely";
import type { RowOf } from "./columns.ts";
import type {
  adaptationColumns,
  cycleColumns,
  cycleStateColumns,
  forecastColumns,
  forecastViewColumns,
  outcomeColumns,
  scoreColumns,
  scoresColumns,
} from "./tables.ts";

type Json<T> = ColumnType<T, string, string>;

/** The predictor database as Kysely sees it; the migrations are the truth. */
export type PredictorSchema = {
  sensor: { sensor_id: string; first_seen_at: Date; natural_key: GeneratedAlways<string> };
  sensor_profile: {
    sensor_id: string;
    name: Generated<string | null>;
    group_path: Generated<string | null>;
    place: Generated<string | null>;
    notes: Generated<string | null>;
    limits: ColumnType<unknown, string | undefined, string>;
    source_name: Generated<string | null>;
    source_group: Generated<string | null>;
    source_place: Generated<string | null>;
    updated_at: Date;
  };
  model: {
    model_id: string;
    sensor_id: string;
    status: string;
    status_reason: string;
    manifest: Json<unknown>;
    model_sha256: string;
    digest: string | null;
    created_at: Date;
    promoted_at: Date | null;
    retired_at: Date | null;
    fleet_id: GeneratedAlways<string | null>;
  };
  part_sums: {
    fleet_id: string;
    sensor_id: string;
    through: Date;
    sums: Uint8Array;
    left_out: ColumnType<unknown, string | undefined, string>;
  };
  fleet: {
    fleet_id: string;
    group_path: string;
    digest: string;
    status: string;
    status_reason: string;
    created_at: Date;
    promoted_at: Date | null;
    retired_at: Date | null;
  };
  cycle: RowOf<typeof cycleColumns> &
    Omit<RowOf<typeof cycleStateColumns>, "is_disputed"> & { is_disputed: Generated<boolean> };
  outcome: RowOf<typeof outcomeColumns>;
  /** A view, for people and tests: the adapters read `issued` and, while it lasts, `forecast_before`. */
  forecast: RowOf<typeof forecastViewColumns>;
  forecast_before: RowOf<typeof forecastColumns>;
  adaptation: RowOf<typeof adaptationColumns>;
  /** The table of before. */
  score: RowOf<typeof scoreColumns> & { sums: GeneratedAlways<number[]> };
  /** A view of all scores. */
  scores: RowOf<typeof scoresColumns> & { sums: number[] };
  /** The same, without the lists. */
  score_total: Pick<RowOf<typeof scoresColumns>, "sensor_id" | "target" | "target_at" | "model_key" | "scored_at"> & {
    sums: number[];
  };
  lease: { name: string; holder: string; expires_at: Date };
  annotation: {
    annotation_id: string;
    sensor_id: string;
    target: string | null;
    kind: string;
    from_at: Date;
    to_at: Date | null;
    through_at: Date | null;
    text: string;
    created_at: Date;
    created_by: string;
    changed_at: Date;
    changed_by: string;
    removed_at: Date | null;
  };
  annotation_anew: {
    anew_id: GeneratedAlways<string>;
    task: "learn" | "sum";
    sensor_id: string;
    from_at: Date;
    to_at: Date | null;
  };
  alert_rule: { rule_id: string; body: Json<unknown>; created_at: Date; created_by: string; since: Date };
  alert_channel: {
    channel_id: string;
    name: string;
    is_enabled: boolean;
    settings: Json<unknown>;
    secret: Buffer | null;
    created_at: Date;
    created_by: string;
  };
  alert_seen: { sensor_id: string; slot: Date; evaluated_at: Date };
  alert_standing: {
    sensor_id: string;
    rule_id: string;
    state: "pending" | "firing" | "blind";
    since: Date;
    cycles: number;
    fired_at: Date | null;
    told_at: Date | null;
    evidence: Json<unknown>;
  };
  alert: {
    alert_id: GeneratedAlways<string>;
    rule_id: string;
    sensor_id: string;
    rule_name: string;
    severity: string;
    fired_at: Date;
    cleared_at: Date | null;
    evidence: Json<unknown>;
    text: string;
    acknowledged_at: Date | null;
    acknowledged_by: string | null;
    note: string | null;
  };
  notification: {
    notification_id: GeneratedAlways<string>;
    key: string;
    channel_id: string;
    rule_id: string;
    sensor_id: string;
    kind: string;
    body: Json<unknown>;
    created_at: Date;
    due_at: Date;
    batch: string | null;
    attempts: Generated<number>;
    delivered_at: Date | null;
    given_up_at: Date | null;
  };
  delivery: {
    delivery_id: GeneratedAlways<string>;
    channel_id: string;
    key: string;
    notifications: number;
    attempt: number;
    at: Date;
    elapsed_ms: number;
    is_ok: boolean;
    detail: string;
  };
  api_key: {
    key_id: string;
    name: string;
    scopes: string[];
    sha256: string;
    created_at: Date;
    created_by: string;
    expires_at: Date | null;
    last_used_at: Date | null;
    revoked_at: Date | null;
  };
  session: {
    sha256: string;
    actor_kind: string;
    actor_id: string;
    actor_name: string;
    scopes: string[];
    created_at: Date;
    expires_at: Date;
  };
  sign_in_link: { sha256: string; expires_at: Date };
  audit: {
    audit_id: GeneratedAlways<number>;
    at: Date;
    actor_kind: string;
    actor_id: string;
    actor_name: string;
    action: string;
    object: string | null;
    address: string | null;
    request_id: string | null;
    result: string;
  };
};
