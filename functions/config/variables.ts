import * as z from "zod";
import { parseConnection } from "./connection.ts";
import { isCron } from "./cron.ts";
import { leadsText } from "./leads.ts";
import { decimalText, integerText } from "./number.ts";
import { parsePublisher } from "./publisher.ts";

const postgresUrl = z.string().superRefine((text, context) => {
  const parsed = parseConnection(text);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.problem });
});
const httpUrl = z.url({ protocol: /^https?$/ });
const cron = z.string().refine(isCron, "must be a cron expression such as */10 * * * *");
const list = z
  .string()
  .default("")
  .transform((text) => text.split(",").flatMap((part) => part.trim() || []));
const flag = z.stringbool({ error: "must be true or false" });

/**
 * Every variable that the system reads: what it may be, its default, what it is for. `Config`, `.env.example` and the
 * table in docs/configuration.md are made from here (`npm run docs:configuration`); nothing else reads the environment.
 */
export const sections = {
  Databases: {
    FOLLOWER_DATABASE_URL: postgresUrl
      .optional()
      .describe("The sensor app's read replica, by a role with SELECT only. Unset: an embedded demo with real rooms"),
    PREDICTOR_DATABASE_URL: postgresUrl.optional().describe("Our own database. Unset: embedded Postgres in DATA_DIR"),
    DATABASE_DRIVER: z
      .enum(["pg", "neon"])
      .default("pg")
      .describe("pg over TCP, or neon over WebSocket (predictor only)"),
    SOURCE_CONFIG: z
      .string()
      .optional()
      .describe(
        "How the source table is mapped: inline JSON or a path to a JSON file. Unset: sensor_readings(sensor_id, temperature, humidity, timestamp)",
      ),
    DEMO_DATABASE_URL: postgresUrl
      .optional()
      .describe(
        "A main database for the demo's sensors to write to, by its owner; FOLLOWER_DATABASE_URL is its standby",
      ),
    ALLOW_WRITABLE_FOLLOWER: flag.default(false).describe("true: run although the follower role could write"),
  },
  Storage: {
    DATA_DIR: z.string().default(".data").describe("Where the embedded databases and the model folder lie"),
    MODEL_STORE: z.string().optional().describe("A folder or s3://bucket/prefix. Unset: DATA_DIR/models"),
    MIX_RETENTION_DAYS: integerText(0, 10_000)
      .default(2)
      .describe("Days that what the experts said is kept once it has matured; learning needs it, serving does not"),
    BACKUP_STORE: z
      .string()
      .optional()
      .describe(
        "Where archived days (archive/) and backups (backups/) lie: a folder, better on another disk, or s3://bucket/prefix. Unset: DATA_DIR",
      ),
    BACKUP_CRON: cron
      .or(z.literal("never"))
      .default("30 2 * * *")
      .describe("When closed days are archived and the rest is backed up (UTC); never: neither"),
    BACKUP_RETENTION_DAYS: integerText(1, 10_000)
      .default(14)
      .describe(
        "Days that a backup in a folder is kept, the newest two always; in a bucket its lifecycle rule decides",
      ),
    FORECAST_RETENTION_DAYS: integerText(1, 100_000)
      .default(400)
      .describe("Days that forecasts and scores are kept; with archiving on they go when they are in the archive"),
    CYCLE_RETENTION_DAYS: integerText(8, 100_000).default(90).describe("Days that cycles and outcomes are kept"),
    DATABASE_LIMIT_BYTES: integerText(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe("How large the predictor database may become; /v1/ops, dashboard and alarm tell the days until then"),
    S3_ENDPOINT: httpUrl.optional().describe("Another S3 endpoint than AWS's"),
    MODEL_PUBLISHERS: list
      .refine(
        (texts) => texts.every((text) => parsePublisher(text) !== null),
        "must be name=key, the key Ed25519 in base64 (docs/models.md)",
      )
      .describe(
        "Whose signatures of models made elsewhere are trusted: name=key, separated by commas (docs/models.md)",
      ),
    REQUIRE_SIGNATURE: flag
      .default(false)
      .describe("true: a model made elsewhere is imported, promoted and served only with a publisher's signature"),
    MODEL_CACHE: integerText(1, 100_000)
      .optional()
      .describe(
        "Models of single sensors kept in memory, about 2 MB each. Unset: as many as fit a quarter of the memory",
      ),
  },
  Forecasts: {
    STEP_SECONDS: integerText(1, 86_400).default(600).describe("Grid spacing and forecast cycle, in seconds"),
    LEADS: leadsText
      .optional()
      .describe(
        "Which future steps a forecast has, such as 1-24,30-144/6. Unset: each step to 24, then hourly to 24 hours",
      ),
    HORIZON: integerText(1, 1_000)
      .optional()
      .describe("Instead of LEADS: each step up to this one, as before there were lists"),
    SHARD_SIZE: integerText(1, 10_000)
      .default(100)
      .describe("Sensors in one queue message; 1 gives one invocation per sensor"),
    FLEET_GROUPS: integerText(0, 8)
      .default(0)
      .describe(
        "Leading parts of a sensor's group path, such as site/building/room, that make a network of its own: 1 is one for each site. 0: one network for all",
      ),
    SETTLE_SECONDS: integerText(0, 86_400)
      .default(60)
      .describe("How long a cycle waits after its slot for late readings, in seconds"),
    LATE_SECONDS: integerText(0, 604_800)
      .default(3_600)
      .describe(
        "A reading that comes up to so long after its moment is seen at the next cycle, whatever the source tells",
      ),
    WHOLE_READ_SECONDS: integerText(1, 604_800)
      .default(3_600)
      .describe(
        "Sensors' whole past is read again after so long; after a day where a column tells which readings came late",
      ),
    STALE_AFTER_STEPS: integerText(1, 10_000)
      .default(2)
      .describe("Steps without a reading after which a source is stale"),
    CYCLE_CRON: cron.optional().describe("When forecasts are made (UTC). Unset: each step"),
    TRAIN_CRON: cron
      .default("0 3 * * *")
      .describe("When models whose history has grown by 5 % are trained again (UTC)"),
    TRAINING_WORKERS: integerText(1, 64)
      .optional()
      .describe("Threads that train at a time, on one machine. Unset: all cores but one, which is left to forecasts"),
    DRIFT_CRON: cron
      .default("30 4 * * *")
      .describe("When drifted models, and sensors without one, are looked for (UTC)"),
    PROMOTE_CRON: cron.default("0 5 * * *").describe("When challengers are compared with champions (UTC)"),
  },
  Server: {
    PORT: integerText(0, 65_535).default(3000).describe("Where the API and the dashboard listen; 0 takes a free port"),
    HOST: z.string().default("127.0.0.1").describe("Address to listen on; 0.0.0.0 for all"),
    ALLOWED_HOSTS: list.describe(
      "Other names that the server is called by, separated by commas; it answers to no other",
    ),
    ALLOWED_ORIGINS: list.describe("Origins of dashboards served elsewhere, separated by commas"),
    DEMO_SPEED: decimalText({ above: 0, max: 3_600 })
      .default(60)
      .describe("Demo seconds in a real second, above 0 and up to 3600"),
  },
  Access: {
    API_KEY: z
      .string()
      .min(16, "must have at least 16 characters")
      .optional()
      .describe("The first administrator's key, sent as Authorization: Bearer; 16 characters, beyond this machine 32"),
    ACCESS: z
      .enum(["private", "public-read"])
      .optional()
      .describe(
        "private: nothing without a key or a sign-in; public-read: reading is open. Unset: private, on loopback public-read, and there without API_KEY and issuer all is open",
      ),
    API_DATABASE_URL: postgresUrl
      .optional()
      .describe(
        "The predictor database by the API's own role (npm run migrate -- --roles). Unset: PREDICTOR_DATABASE_URL",
      ),
    SHARE_SECRET_KEY: z
      .string()
      .min(32, "must have at least 32 characters")
      .optional()
      .describe(
        "Signs links that share a chart; another one ends them all. Unset: made once and kept in DATA_DIR (share.key); on AWS made of the API key",
      ),
    EMBED_ORIGINS: list.describe(
      "Sites that may show a shared chart in a frame, such as https://intranet.example.com, separated by commas; none by default",
    ),
    PUBLIC_URL: httpUrl.optional().describe("Where people reach the dashboard, such as https://forecasts.example.com"),
    TRUST_PROXY: flag
      .default(false)
      .describe("true: a proxy of yours is in front, whose X-Forwarded-For says who asks"),
    OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Where people sign in (OpenID Connect): Cognito, Entra, Google, Keycloak or another"),
    OIDC_CLIENT_ID: z.string().optional().describe("This dashboard's id at the issuer"),
    OIDC_CLIENT_SECRET: z.string().optional().describe("Its secret. Unset: a public client, with PKCE alone"),
    OIDC_SCOPE: z.string().default("openid profile email").describe("What is asked of the issuer"),
    OIDC_ROLE_CLAIM: z.string().default("groups").describe("The claim of the ID token that makes roles"),
    OIDC_ADMINS: list.describe("Values of the claim that make administrators, separated by commas; * is everybody"),
    OIDC_OPERATORS: list.describe("Values that make operators: they forecast, train, promote and set alerts"),
    OIDC_VIEWERS: list.describe("Values that make viewers: they read"),
    READS_PER_SECOND: integerText(1, 100_000)
      .default(30)
      .describe("Reads of one key, person or address in a second; ten times as many at once"),
    WRITES_PER_MINUTE: integerText(1, 100_000).default(30).describe("Writes of one key, person or address in a minute"),
    TRAININGS_PER_DAY: integerText(0, 1_000_000).default(200).describe("Trainings that one may ask for in 24 h"),
  },
  Alerts: {
    ALERT_SECRET_KEY: z
      .string()
      .min(32, "must have at least 32 characters")
      .optional()
      .describe("Encrypts the secrets of alert channels. Unset: made once and kept in DATA_DIR; on AWS a secret"),
    ALERT_SECRET_PREFIX: z
      .string()
      .regex(/^\/[\w.-]+(\/[\w.-]+)*\/$/, "must begin and end with a slash, such as /forecasts/alerts/")
      .optional()
      .describe(
        "What names in AWS begin with that channels may refer to, such as /forecasts/alerts/: ssm:/forecasts/alerts/NAME, secretsmanager:forecasts/alerts/NAME. Unset: none",
      ),
    ALERT_PRIVATE_HOSTS: list.describe(
      "Names, addresses or networks such as 10.0.0.0/8 that webhooks and Kafka may reach although they are private; separated by commas",
    ),
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe(
        "Mail server for alerts, such as smtps://user:password@mail.example.com. Unset: SES, where EMAIL_FROM is set",
      ),
    EMAIL_FROM: z
      .string()
      .max(320)
      .optional()
      .describe("Sender of alert mails, such as Forecasts <alerts@example.com>"),
    MQTT_URL: z
      .url({ protocol: /^mqtts?$/ })
      .optional()
      .describe("Broker for newest forecasts and alerts, retained; such as mqtts://user:password@broker.example.com"),
    MQTT_PREFIX: z
      .string()
      .regex(/^[^+#\0]{1,100}$/, "must be a topic without + and #")
      .default("iot-lstm-predictor")
      .describe("Topics begin with it"),
    MQTT_DISCOVERY_PREFIX: z
      .string()
      .regex(/^[^+#\0]{1,100}$/, "must be a topic without + and #")
      .default("homeassistant")
      .describe("Where Home Assistant looks for devices"),
  },
  "Queues (on AWS)": {
    FORECAST_QUEUE_URL: z.url().optional().describe("SQS queue of forecast shards"),
    SCORE_QUEUE_URL: z.url().optional().describe("SQS queue of scoring shards"),
    TRAIN_QUEUE_URL: z.url().optional().describe("SQS queue of trainings"),
    NOTIFY_QUEUE_URL: z.url().optional().describe("SQS queue of what is to be told"),
    SQS_ENDPOINT: httpUrl.optional().describe("Another SQS endpoint than AWS's"),
  },
  Logs: {
    LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least level that is logged"),
    LOG_FORMAT: z
      .enum(["auto", "json", "pretty"])
      .default("auto")
      .describe("auto: readable on a terminal, else JSON lines"),
    STAGE: z.string().max(64).optional().describe("Name of the deployment in CloudWatch's metrics. Unset: no metrics"),
    CODE_VERSION: z.string().max(64).optional().describe("Stored with every forecast. Unset: the package's version"),
  },
};

/** The environment, parsed; keys as they are written there. */
export const Environment = z.object({
  ...sections.Databases,
  ...sections.Storage,
  ...sections.Forecasts,
  ...sections.Server,
  ...sections.Access,
  ...sections.Alerts,
  ...sections["Queues (on AWS)"],
  ...sections.Logs,
});
export type Environment = z.infer<typeof Environment>;
