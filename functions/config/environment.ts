import { existsSync } from "node:fs";
import { Cron } from "croner";
import { z } from "zod";
import { AppError } from "../../core/errors.ts";
import packageJson from "../../package.json" with { type: "json" };
import { withLinkedSecrets } from "./secrets.ts";

const integer = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
const postgresUrl = z
  .string()
  .refine(
    (text) => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text),
    "must look like postgres://role:password@host:5432/database",
  );
const cron = z.string().refine(isCron, "must be a cron expression such as */10 * * * *");
const flag = z.stringbool({ error: "must be true or false" });
const demoSpeed = "must be a number above 0, up to 3600";

/** Every variable that the system reads, with its default and what it is for; nothing else reads the environment. */
export const Environment = z.object({
  FOLLOWER_DATABASE_URL: postgresUrl
    .optional()
    .describe("The sensor app's read replica, by a role with SELECT only. Unset: an embedded demo source"),
  PREDICTOR_DATABASE_URL: postgresUrl.optional().describe("Our own database. Unset: embedded Postgres in DATA_DIR"),
  DATABASE_DRIVER: z
    .enum(["pg", "neon"])
    .default("pg")
    .describe("pg over TCP, or neon over WebSocket (predictor only)"),
  SOURCE_CONFIG: z.string().optional().describe("How the source table is mapped: inline JSON or a path to a JSON file"),
  ALLOW_WRITABLE_FOLLOWER: flag.default(false).describe("true: run although the follower role could write"),
  DATA_DIR: z.string().default(".data").describe("Where the embedded databases and the model folder lie"),
  MODEL_STORE: z.string().optional().describe("A folder or s3://bucket/prefix. Unset: DATA_DIR/models"),
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Another S3 endpoint than AWS's"),
  STEP_SECONDS: integer(1, 86_400).default(600).describe("Grid spacing and forecast cycle, in seconds"),
  HORIZON: integer(1, 1_000).default(24).describe("Number of future steps in a forecast"),
  SHARD_SIZE: integer(1, 10_000).default(100).describe("Sensors in one queue message"),
  PORT: integer(0, 65_535).default(3000).describe("Where the API and the dashboard listen; 0 takes a free port"),
  HOST: z.string().default("127.0.0.1").describe("Address to listen on; 0.0.0.0 for all"),
  API_KEY: z
    .string()
    .min(16, "must have at least 16 characters")
    .optional()
    .describe("Wanted as Authorization: Bearer by whatever changes something. Unset: open"),
  ALLOWED_ORIGINS: z.string().default("").describe("Origins of dashboards served elsewhere, separated by commas"),
  DEMO_SPEED: z.coerce
    .number({ error: demoSpeed })
    .gt(0, { error: demoSpeed })
    .max(3_600, { error: demoSpeed })
    .default(60)
    .describe("Demo seconds in a real second"),
  SETTLE_SECONDS: integer(0, 86_400).default(60).describe("How long a cycle waits after its slot for late readings"),
  STALE_AFTER_STEPS: integer(1, 10_000).default(2).describe("Steps without a reading after which a source is stale"),
  CYCLE_CRON: cron.optional().describe("When forecasts are made (UTC). Unset: each step"),
  TRAIN_CRON: cron.default("0 3 * * *").describe("When models whose history has grown by 5 % are trained again (UTC)"),
  DRIFT_CRON: cron.default("30 4 * * *").describe("When drifted models, and sensors without one, are looked for (UTC)"),
  PROMOTE_CRON: cron.default("0 5 * * *").describe("When challengers are compared with champions (UTC)"),
  FORECAST_QUEUE_URL: z.url().optional().describe("SQS queue of forecast shards (on AWS)"),
  SCORE_QUEUE_URL: z.url().optional().describe("SQS queue of scoring shards (on AWS)"),
  TRAIN_QUEUE_URL: z.url().optional().describe("SQS queue of trainings (on AWS)"),
  SQS_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Another SQS endpoint than AWS's"),
  STAGE: z.string().max(64).optional().describe("Name of the deployment in CloudWatch's metrics. Unset: no metrics"),
  MODEL_CACHE: integer(1, 100_000).default(256).describe("Models kept in memory, about 2 MB each"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least level that is logged"),
  LOG_FORMAT: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("auto: readable on a terminal, else JSON lines"),
  CODE_VERSION: z.string().max(64).optional().describe("Stored with every forecast. Unset: the package's version"),
});
type Environment = z.infer<typeof Environment>;

/** The validated configuration; null where the system fills in by itself. */
export type Config = {
  followerDatabaseUrl: string | null;
  predictorDatabaseUrl: string | null;
  databaseDriver: "pg" | "neon";
  sourceConfig: string | null;
  allowWritableFollower: boolean;
  dataDir: string;
  modelStore: string;
  s3Endpoint: string | null;
  stepSeconds: number;
  horizon: number;
  shardSize: number;
  port: number;
  host: string;
  /** Null leaves the API open. */
  apiKey: string | null;
  allowedOrigins: string[];
  demoSpeed: number;
  settleSeconds: number;
  staleAfterSteps: number;
  cycleCron: string;
  trainCron: string;
  driftCron: string;
  promoteCron: string;
  queueUrls: { forecast: string | null; score: string | null; train: string | null };
  sqsEndpoint: string | null;
  modelCache: number;
  stage: string | null;
  logLevel: "debug" | "info" | "warn" | "error";
  logFormat: "auto" | "json" | "pretty";
  codeVersion: string;
};

/** The configuration of this process: its environment, then `.env` here, then the secrets that SST linked. Throws misconfigured. */
export async function loadConfig(): Promise<Config> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  return readConfig(await withLinkedSecrets(process.env));
}

/** The configuration in `environment`; an empty string counts as unset. Throws misconfigured naming each bad variable. */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    throw new AppError("misconfigured", `configuration: ${lines.join("; ")} (see .env.example)`);
  }
  return toConfig(parsed.data);
}

function toConfig(env: Environment): Config {
  return {
    followerDatabaseUrl: env.FOLLOWER_DATABASE_URL ?? null,
    predictorDatabaseUrl: env.PREDICTOR_DATABASE_URL ?? null,
    databaseDriver: env.DATABASE_DRIVER,
    sourceConfig: env.SOURCE_CONFIG ?? null,
    allowWritableFollower: env.ALLOW_WRITABLE_FOLLOWER,
    dataDir: env.DATA_DIR,
    modelStore: env.MODEL_STORE ?? `${env.DATA_DIR}/models`,
    s3Endpoint: env.S3_ENDPOINT ?? null,
    stepSeconds: env.STEP_SECONDS,
    horizon: env.HORIZON,
    shardSize: env.SHARD_SIZE,
    port: env.PORT,
    host: env.HOST,
    apiKey: env.API_KEY ?? null,
    allowedOrigins: env.ALLOWED_ORIGINS.split(",").flatMap((origin) => origin.trim() || []),
    demoSpeed: env.DEMO_SPEED,
    settleSeconds: env.SETTLE_SECONDS,
    staleAfterSteps: env.STALE_AFTER_STEPS,
    cycleCron: env.CYCLE_CRON ?? cronOfStep(env.STEP_SECONDS),
    trainCron: env.TRAIN_CRON,
    driftCron: env.DRIFT_CRON,
    promoteCron: env.PROMOTE_CRON,
    queueUrls: {
      forecast: env.FORECAST_QUEUE_URL ?? null,
      score: env.SCORE_QUEUE_URL ?? null,
      train: env.TRAIN_QUEUE_URL ?? null,
    },
    sqsEndpoint: env.SQS_ENDPOINT ?? null,
    modelCache: env.MODEL_CACHE,
    stage: env.STAGE ?? null,
    logLevel: env.LOG_LEVEL,
    logFormat: env.LOG_FORMAT,
    codeVersion: env.CODE_VERSION ?? packageJson.version,
  };
}

/** A cron expression that ticks at least once a step; slots that it meets twice are one cycle all the same. */
export function cronOfStep(stepSeconds: number): string {
  if (stepSeconds < 60) return 60 % stepSeconds === 0 ? `*/${stepSeconds} * * * * *` : "* * * * * *";
  const minutes = stepSeconds / 60;
  if (minutes < 60 && 60 % minutes === 0) return `*/${minutes} * * * *`;
  const hours = minutes / 60;
  if (hours < 24 && 24 % hours === 0) return `0 */${hours} * * *`;
  return hours === 24 ? "0 0 * * *" : "* * * * *";
}

/** Seconds between two cycles: the longest gap among the cron expression's next ten times. */
export function cycleSecondsOf(cron: string): number {
  const times = new Cron(cron, { paused: true, timezone: "UTC" }).nextRuns(10).map((time) => time.getTime() / 1000);
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? 0)));
}

/** The configuration for the start log: passwords in URLs, the API key and inline mappings are left out. */
export function describeConfig(config: Config): Record<string, unknown> {
  const hidden = config.sourceConfig?.trim().startsWith("{") ? "(inline)" : config.sourceConfig;
  return {
    ...config,
    followerDatabaseUrl: config.followerDatabaseUrl && redactUrl(config.followerDatabaseUrl),
    predictorDatabaseUrl: config.predictorDatabaseUrl && redactUrl(config.predictorDatabaseUrl),
    sourceConfig: hidden,
    apiKey: config.apiKey && "(set)",
  };
}

/** The URL without password and query, which may hold secrets too. */
export function redactUrl(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = "redacted";
  url.search = "";
  return url.toString();
}

function isCron(text: string): boolean {
  try {
    return new Cron(text, { paused: true, timezone: "UTC" }).nextRun() !== null;
  } catch {
    return false;
  }
}
