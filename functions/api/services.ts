import type { ChannelStore } from "../../core/alert/channel.ts";
import type { Outbox } from "../../core/alert/outbox.ts";
import type { Alerts } from "../../core/alert/ports.ts";
import type { RuleStore } from "../../core/alert/store.ts";
import type { Target } from "../../core/data/reading.ts";
import type { BacktestAnswer, BacktestRequest } from "../../core/evaluation/rehearsal.ts";
import type { ForecastMessage } from "../../core/messages.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { FleetInference, Inference, ModelStore } from "../../core/model/ports.ts";
import type { Retention } from "../../core/operations/retain.ts";
import type { DeadLetters, Ports } from "../../core/ports.ts";
import type { Views } from "../../core/views.ts";
import type { AccessServices } from "./access/services.ts";
import type { Deadlines, Within } from "./deadline.ts";
import type { Lanes } from "./lanes.ts";

export type ApiSettings = {
  stepSeconds: number;
  /** Longest time between two cycles; the step when left out. */
  cycleSeconds?: number;
  /** How long after its slot a cycle begins; 0 when left out. */
  settleSeconds?: number;
  leads: number[];
  targets: Target[];
  codeVersion: string;
  isDemo: boolean;
  /** 1 in production. */
  clockSpeed: number;
  /** Origins of dashboards that are served from elsewhere. */
  allowedOrigins: string[];
  /** What names in AWS begin with that channels' secrets may refer to; none when left out. */
  alertSecretPrefix?: string | null;
  /** How long what is kept, and how large the database may become. */
  storage: { retention: Retention; limitBytes: number | null };
  /** Whether reads that went well are logged: true outside the demo, whose dashboard would fill the terminal. */
  logsReads?: boolean;
  /** How long an on-demand forecast is waited for before the answer is "queued". */
  onDemandWaitMs?: number;
  /** How long a body may take to come. */
  bodyDeadlineMs?: number;
  /** How long a request may keep the databases busy. */
  deadlines?: Deadlines;
  lanes?: Partial<Lanes>;
  /** How old what is known of changes may be; a second when left out. */
  revisionMs?: number;
};

/** What the API needs of the world. `requestForecasts` computes a shard, here or by way of the queue. */
export type ApiServices = {
  ports: Pick<Ports, "clock" | "log" | "follower" | "registry" | "ledger" | "queue" | "profiles" | "annotations"> & {
    alerts: Pick<Alerts, "book">;
    rules: RuleStore;
    channels: ChannelStore;
    outbox: Pick<Outbox, "add">;
    store: Pick<ModelStore, "get">;
    fleetInference: Pick<FleetInference, "verify" | "open" | "parts">;
    inference: Pick<Inference, "verify">;
    deadLetters: Pick<DeadLetters, "list">;
    scores: Pick<Ports["scores"], "paired">;
  };
  views: Views;
  requestForecasts(message: ForecastMessage): Promise<void>;
  /** Forecasts of the past by the models that serve now; left out where nobody can make them. */
  backtest?(request: BacktestRequest): Promise<BacktestAnswer>;
  settings: ApiSettings;
  metrics: Metrics;
  within: Within;
  access: AccessServices;
  /** What is known to be wrong with what else belongs to the system on this machine, by name. */
  troubles?(): Promise<Record<string, string>>;
};
