/**
 * AWS's list prices in US dollars (us-east-1, x86_64, without the free tier). Check them before you rely on a figure.
 */
export const prices = {
  lambdaGigabyteSecond: 0.0000166667,
  lambdaRequest: 0.2 / 1e6,
  sqsRequest: 0.4 / 1e6,
  schedulerInvocation: 1 / 1e6,
  s3Get: 0.4 / 1e6,
  s3Put: 5 / 1e6,
  s3GigabyteMonth: 0.023,
  /** Glacier Instant Retrieval. */
  s3RestingGigabyteMonth: 0.004,
  logsGigabyte: 0.5,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
};

/** What the projection takes for granted, beside the prices and the measured CPU times. */
export const assumptions = {
  cyclesPerMonth: 4_380,
  shardSize: 200,
  /** Shards that one invocation takes. */
  batchSize: 2,
  maximumConcurrency: 10,
  stepSeconds: 600,
  /** At 1,769 MB Lambda gives one CPU; taken as fast as the one measured on. */
  memoryMb: 1_769,
  scoreMemoryMb: 1_024,
  databaseRoundTrips: 8,
  databaseRoundTripMs: 3,
  s3GetMs: 30,
  /** Graph, golden vectors and manifest, at once, when an environment opens the fleet's version. */
  s3GetsPerVersion: 3,
  /** Packs that hold a hundred sensors' parts: one when they were made together, more as parts are renewed. */
  packsPerHundred: 3,
  /** A poller of the queue begins with 5 environments and adds so many in a minute. */
  environmentsAtOnce: 5,
  environmentsPerMinute: 300,
  /** With half a year of history a network is trained again every nine days, and every sensor gets a part of it. */
  versionsPerMonth: 3.35,
  /** Between two versions a part is renewed once. */
  renewalsPerMonth: 3.35,
  /** Milliseconds of CPU (npm run bench:train -- --fleet): two networks; a part from half a year; a part's renewal. */
  networkCpuMs: 22_000,
  partCpuMs: 900,
  renewalCpuMs: 30,
  /** Of the forecast function, to look at five rules a sensor (node test/bench/alerts.ts). */
  rulesCpuMsPerSensor: 0.1,
  /** One notice a sensor and month: an invocation of 256 MB and three requests (docs/deploy.md, Alerts). */
  noticesPerSensorMonth: 1,
  dollarsPerNotice: 5e-6,
  /** What the daily archive keeps of a sensor and day, compressed. */
  archivedBytesPerSensorDay: 40_000,
  archivedMonths: 13,
  /** After so long it lies where it costs less (infra/store.ts). */
  archiveRestsAfterMonths: 1,
  logBytesPerInvocation: 1_000,
  alarms: 17,
  metrics: 4,
  /** SQS: one send in batches of ten, one receive, one delete. */
  sqsRequestsPerMessage: 2.1,
};

/** Measured CPU milliseconds of one invocation with a shard of `assumptions.shardSize` sensors. */
export type Measured = {
  initCpuMs: number;
  /**
   * Of an environment's first shard, its second and so on, none of which it has had before; the last stands for all
   * that follow: V8 has met its functions by then. The first opens the fleet's graph, too.
   */
  newCpuMs: number[];
  /** A shard that was there before. */
  warmCpuMs: number;
  scoreCpuMs: number;
  /** Rows of the predictor database of a sensor and cycle, before anything is removed. */
  forecastBytes: number;
};

export type Projection = {
  sensors: number;
  shards: number;
  /** Environments at work at the same time, so that a cycle is done within its step. */
  concurrency: number;
  cycleSeconds: number;
  dollarsPerCycle: number;
  dollarsPerMonth: Record<
    "forecast" | "score" | "train" | "queues" | "models" | "alerts" | "archive" | "watching" | "total",
    number
  >;
  gigabytesPerMonth: number;
};

/** How a cycle's shards went through the environments. */
export type FanOut = { seconds: number; environments: number; billedMs: number };

/**
 * A cycle as the queue hands it out: environments come up as its pollers allow, none lives from one cycle to the next,
 * each pays for its start, and whoever is free takes the next `batchSize` shards.
 */
export function fanOut(shards: number, concurrency: number, measured: Measured, full: number): FanOut {
  const a = assumptions;
  const waitMs = a.databaseRoundTrips * a.databaseRoundTripMs + a.s3GetMs;
  const shardMs = (place: number) => full * measured.newCpuMs[Math.min(place, measured.newCpuMs.length - 1)]! + waitMs;
  const invocations = Math.ceil(shards / a.batchSize);
  // When each environment is free again, soonest first.
  const free: Environment[] = [];
  let billedMs = 0;
  let endMs = 0;
  let left = shards;
  for (let taken = 0; taken < invocations; taken++) {
    const size = Math.min(a.batchSize, left);
    left -= size;
    const started = free.length;
    const comesUpAt =
      started < a.environmentsAtOnce ? 0 : ((started - a.environmentsAtOnce) * 60_000) / a.environmentsPerMinute;
    const isNew = started < concurrency && comesUpAt <= (free[0]?.atMs ?? Number.POSITIVE_INFINITY);
    const { atMs, shards: had } = isNew ? { atMs: comesUpAt, shards: 0 } : free.shift()!;
    let takes = isNew ? measured.initCpuMs + a.s3GetMs : 0;
    for (let i = 0; i < size; i++) takes += shardMs(had + i);
    billedMs += takes;
    endMs = Math.max(endMs, atMs + takes);
    insert(free, { atMs: atMs + takes, shards: had + size });
  }
  return { seconds: endMs / 1000, environments: free.length, billedMs };
}

/** When an environment is free, and how many shards it has had. */
type Environment = { atMs: number; shards: number };

function insert(ascending: Environment[], one: Environment): void {
  const later = ascending.findIndex(({ atMs }) => atMs > one.atMs);
  ascending.splice(later < 0 ? ascending.length : later, 0, one);
}

/** What a fleet of so many sensors would cost on AWS, without Neon, CloudFront and traffic. */
export function project(sensors: number, measured: Measured): Projection {
  const a = assumptions;
  const shards = Math.ceil(sensors / a.shardSize);
  const full = Math.min(sensors, a.shardSize) / a.shardSize;
  let concurrency = a.maximumConcurrency;
  let cycle = fanOut(shards, concurrency, measured, full);
  while (cycle.seconds > 0.8 * a.stepSeconds) {
    concurrency += a.maximumConcurrency;
    cycle = fanOut(shards, concurrency, measured, full);
  }
  const invocations = Math.ceil(shards / a.batchSize);
  const scoreMs =
    Math.min(a.maximumConcurrency / 2, invocations) * measured.initCpuMs +
    shards * (full * measured.scoreCpuMs + a.databaseRoundTrips * a.databaseRoundTripMs);

  const seconds = (milliseconds: number, megabytes = a.memoryMb) =>
    (milliseconds / 1000) * (megabytes / 1024) * prices.lambdaGigabyteSecond;
  const forecast = seconds(cycle.billedMs) + invocations * prices.lambdaRequest;
  const score = seconds(scoreMs, a.scoreMemoryMb) + invocations * prices.lambdaRequest;
  const queues = 2 * shards * a.sqsRequestsPerMessage * prices.sqsRequest + 2 * prices.schedulerInvocation;
  const models =
    (cycle.environments * a.s3GetsPerVersion + Math.ceil(sensors / 100) * a.packsPerHundred) * prices.s3Get;
  const logs = ((2 * invocations + 2) * a.logBytesPerInvocation * prices.logsGigabyte) / 1e9;
  const dollarsPerCycle = forecast + score + queues + models + logs;
  const month = a.cyclesPerMonth;
  const fitMs = a.versionsPerMonth * (a.networkCpuMs + sensors * a.partCpuMs);
  const renewMs = a.renewalsPerMonth * sensors * a.renewalCpuMs;
  const puts = ((a.versionsPerMonth + a.renewalsPerMonth) * sensors * prices.s3Put) / 100;
  const archivedMonthly = (sensors * a.archivedBytesPerSensorDay * 30.4) / 1e9;
  const resting = archivedMonthly * (a.archivedMonths - a.archiveRestsAfterMonths);
  const archive =
    archivedMonthly * a.archiveRestsAfterMonths * prices.s3GigabyteMonth + resting * prices.s3RestingGigabyteMonth;
  const parts = {
    forecast: forecast * month,
    score: score * month,
    train: seconds(fitMs + renewMs) + puts,
    queues: queues * month,
    models: models * month,
    alerts: sensors * (a.noticesPerSensorMonth * a.dollarsPerNotice + seconds(a.rulesCpuMsPerSensor) * month),
    archive,
    watching: logs * month + a.alarms * prices.alarmMonth + a.metrics * prices.metricMonth + prices.dashboardMonth,
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return {
    sensors,
    shards,
    concurrency: cycle.environments,
    cycleSeconds: cycle.seconds,
    dollarsPerCycle,
    dollarsPerMonth: { ...parts, total },
    gigabytesPerMonth: (sensors * measured.forecastBytes * month) / 1e9,
  };
}
