import type { ColumnType, GeneratedAlways } from "kysely";

type Json<T> = ColumnType<T, string, string>;

/** The predictor database as Kysely sees it; the migrations are the truth. */
export type PredictorSchema = {
  sensor: { sensor_id: string; first_seen_at: Date };
  model: {
    model_id: string;
    sensor_id: string;
    status: string;
    status_reason: string;
    manifest: Json<unknown>;
    model_sha256: string;
    created_at: Date;
    promoted_at: Date | null;
    retired_at: Date | null;
  };
  cycle: { slot: Date; opened_at: Date; fanned_out_at: Date | null; sensors: number; shards: number };
  outcome: {
    sensor_id: string;
    slot: Date;
    status: string;
    reason: string | null;
    reason_text: string | null;
    have: number | null;
    need: number | null;
    decided_at: Date;
  };
  forecast: {
    sensor_id: string;
    target: string;
    origin: Date;
    model_key: string;
    is_served: boolean;
    slot: Date;
    issued_at: Date;
    unit: string;
    step_seconds: number;
    method: string;
    baseline: string | null;
    reason: string | null;
    reason_text: string | null;
    model_id: string | null;
    model_sha256: string | null;
    source_watermark: Date;
    imputed_steps: number;
    code_version: string;
    q10: number[];
    q50: number[];
    q90: number[];
    last_value: number;
    seasonal_naive: (number | null)[];
    /** Time of the last lead. */
    ends_at: Date;
    mix_through: Date | null;
    mix_experts: (number | null)[] | null;
    mix_weights: number[] | null;
    mix_widths: number[] | null;
    mix_challenger_id: string | null;
  };
  adaptation: { sensor_id: string; target: string; version: number; through: Date; state: number[] };
  score: {
    sensor_id: string;
    target: string;
    target_at: Date;
    model_key: string;
    actual: number;
    scored_at: Date;
    error: (number | null)[];
    pinball: (number | null)[];
    is_covered: (boolean | null)[];
    own_pinball: (number | null)[] | null;
    own_is_covered: (boolean | null)[] | null;
    persistence_error: (number | null)[];
    seasonal_naive_error: (number | null)[];
    sums: GeneratedAlways<number[]>;
  };
  lease: { name: string; holder: string; expires_at: Date };
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
