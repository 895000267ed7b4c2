/** What a person may change about a deployment, with defaults; infra/ builds from it. */
export type StageSettings = {
  /** Where everything but CloudFront runs; null for the shell's AWS_REGION. */
  region: string | null;
  /** Grid spacing and forecast cycle. A minute at least; it divides an hour, or is whole hours that divide a day. */
  stepSeconds: number;
  /** Which future steps a forecast has, such as "1-24,30-144/6"; null: each to 24, then hourly to 24 hours. */
  leads: string | null;
  /** Sensors in one queue message: more share the fixed costs, fewer fail together. */
  shardSize: number;
  /** Leading parts of a sensor's group path that make a network of its own; 0: one network for all. */
  fleetGroups: number;
  /** How long after each step the cycle starts, so that late readings are in. Less than a step. */
  settleMinutes: number;
  /** EventBridge expressions, in UTC. */
  schedules: { train: Cron; drift: Cron; promote: Cron; backup: Cron; watch: Rate };
  /** How their table is mapped (see docs/configuration.md); null for `sensor_readings` with its default columns. */
  source: object | null;
  /** x86_64 is what the tests execute; arm64 is a fifth cheaper. */
  architecture: "x86_64" | "arm64";
  functions: Record<FunctionName, FunctionSettings>;
  queues: Record<QueueName, QueueSettings>;
  /** Where the dashboard and the API live, a name whose zone is in Route 53; null for CloudFront's own. */
  domain: string | null;
  /** For a follower without a public address. Its subnets need a way out (NAT) to Neon. */
  vpc: { securityGroups: string[]; privateSubnets: string[] } | null;
  /** Gets the alarms once it has confirmed AWS's mail; null for nobody. */
  alarmEmail: string | null;
  /** private: nothing without a key or a sign-in; public-read: whoever has the address may read. */
  access: "private" | "public-read";
  /** Sites that may show a shared chart in a frame, such as "https://intranet.example.com". */
  embedOrigins: string[];
  /** Whose signatures of models made elsewhere are trusted, name=key each (docs/models.md). */
  modelPublishers: string[];
  /** Whether such models must bear one. */
  requireSignature: boolean;
  /** Where people sign in (docs/security.md), by a public client with PKCE; null: with API keys only. */
  signIn: SignIn | null;
  /**
   * Requests of one address in five minutes before the edge blocks it; $6 a month and $0.60 a million requests. Null:
   * no WAF.
   */
  requestsPerFiveMinutes: number | null;
  /**
   * Who sends alert mails by SES, an identity verified there, the topics of SNS that alerts may go to, and what names
   * in SSM and Secrets Manager begin with that channels may refer to, such as "/forecasts/alerts/"; null: none.
   */
  alerts: { emailFrom: string | null; topicArns: string[]; secretPrefix: string | null; privateHosts: string[] };
  /** A forecast of more than this a month raises an alarm to `alarmEmail`, in USD; null for none. */
  monthlyBudget: number | null;
  logRetentionDays: number;
  /**
   * Backups under `backups/` (not the archived days under `archive/`) and replaced versions of any object are deleted
   * after this.
   */
  backupRetentionDays: number;
  /** Models and backups outlive `sst remove`, and the stage refuses to be removed at all. */
  isProtected: boolean;
};

export type SignIn = {
  issuer: string;
  clientId: string;
  /** Claim of the ID token; its values below make roles, "*" everybody. */
  roleClaim: string;
  admins: string[];
  operators: string[];
  viewers: string[];
};

export type FunctionName =
  | "schedule"
  | "forecast"
  | "score"
  | "train"
  | "promote"
  | "watch"
  | "backup"
  | "notify"
  | "api";
export type QueueName = "forecast" | "score" | "train" | "notify";
/** What the schedule function is asked to fan out; drift looks for models that want training. */
export type ScheduleTask = Exclude<QueueName, "notify"> | "drift";
export type Cron = `cron(${string})`;
export type Rate = `rate(${string})`;

export type FunctionSettings = {
  /** 1,769 MB is one whole CPU. */
  memoryMb: number;
  timeoutSeconds: number;
  /** Set aside for this function and its upper bound; null shares the account's pool. */
  reservedConcurrency: number | null;
};

export type QueueSettings = {
  /** Messages in one invocation. */
  batchSize: number;
  /** Invocations at a time, 2 at least: what bounds the connections to both databases. */
  maximumConcurrency: number;
  /** Deliveries before a message goes to the dead letters. */
  attempts: number;
};

const defaults: StageSettings = {
  region: null,
  stepSeconds: 600,
  leads: null,
  shardSize: 200,
  fleetGroups: 0,
  settleMinutes: 1,
  schedules: {
    train: "cron(0 3 * * ? *)",
    drift: "cron(30 4 * * ? *)",
    promote: "cron(0 5 * * ? *)",
    backup: "cron(30 2 * * ? *)",
    watch: "rate(5 minutes)",
  },
  source: null,
  architecture: "x86_64",
  functions: {
    schedule: { memoryMb: 512, timeoutSeconds: 120, reservedConcurrency: null },
    forecast: { memoryMb: 1769, timeoutSeconds: 120, reservedConcurrency: null },
    score: { memoryMb: 1024, timeoutSeconds: 120, reservedConcurrency: null },
    train: { memoryMb: 1769, timeoutSeconds: 900, reservedConcurrency: null },
    promote: { memoryMb: 512, timeoutSeconds: 300, reservedConcurrency: null },
    watch: { memoryMb: 256, timeoutSeconds: 60, reservedConcurrency: null },
    backup: { memoryMb: 1769, timeoutSeconds: 900, reservedConcurrency: null },
    notify: { memoryMb: 256, timeoutSeconds: 120, reservedConcurrency: null },
    api: { memoryMb: 1024, timeoutSeconds: 20, reservedConcurrency: null },
  },
  queues: {
    forecast: { batchSize: 2, maximumConcurrency: 10, attempts: 3 },
    score: { batchSize: 2, maximumConcurrency: 5, attempts: 3 },
    train: { batchSize: 1, maximumConcurrency: 10, attempts: 3 },
    notify: { batchSize: 1, maximumConcurrency: 2, attempts: 5 },
  },
  domain: null,
  vpc: null,
  alarmEmail: null,
  access: "private",
  embedOrigins: [],
  modelPublishers: [],
  requireSignature: false,
  signIn: null,
  requestsPerFiveMinutes: null,
  alerts: { emailFrom: null, topicArns: [], secretPrefix: null, privateHosts: [] },
  monthlyBudget: null,
  logRetentionDays: 14,
  backupRetentionDays: 35,
  isProtected: false,
};

const { functions } = defaults;

/** Per stage, what differs from the defaults. Any other stage is a copy that may be thrown away. */
const stages: Record<string, Partial<StageSettings>> = {
  production: {
    isProtected: true,
    logRetentionDays: 90,
    functions: {
      ...functions,
      schedule: { ...functions.schedule, reservedConcurrency: 2 },
      promote: { ...functions.promote, reservedConcurrency: 1 },
      watch: { ...functions.watch, reservedConcurrency: 1 },
      backup: { ...functions.backup, reservedConcurrency: 1 },
      api: { ...functions.api, reservedConcurrency: 20 },
    },
  },
};

/** The settings of a stage. Throws where two of them contradict each other. */
export function settingsFor(stage: string): StageSettings {
  const settings = { ...defaults, ...stages[stage] };
  if (settings.settleMinutes * 60 >= settings.stepSeconds) {
    throw new Error(`settleMinutes ${settings.settleMinutes} must be less than the step of ${settings.stepSeconds} s`);
  }
  return settings;
}
