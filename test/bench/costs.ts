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
  logsGigabyte: 0.5,
  alarmMonth: 0.1,
  metricMonth: 0.3,
  dashboardMonth: 3,
};

/** What the projection takes for granted, beside the prices and the measured CPU times. */
export const assumptions = {
  cyclesPerMonth: 4_380,
  trainingsPerSensorMonth: 4.35,
  shardSize: 100,
  maximumConcurrency: 10,
  stepSeconds: 600,
  memoryMb: 1_769,
  /** At 1,769 MB Lambda gives one CPU; taken as fast as the one measured on. */
  cpuShare: 1,
  databaseRoundTrips: 8,
  databaseRoundTripMs: 3,
  s3GetMs: 30,
  s3GetsPerModel: 3,
  /** Loads of models at a time, two waves of requests each (manifest, then the other files). */
  s3Loads: 8,
  s3Waves: 2,
  /** Models that one execution environment keeps; a shard may meet any environment. */
  cachedModels: 512,
  /** Environments are taken to be new at every cycle and to live through it. */
  coldStartsPerEnvironmentCycle: 1,
  logBytesPerInvocation: 1_000,
  alarms: 17,
  metrics: 4,
  /** SQS: one send in batches of ten, one receive, one delete. */
  sqsRequestsPerMessage: 2.1,
};

/** Measured CPU milliseconds of one invocation with a shard of `assumptions.shardSize` sensors. */
export type Measured = {
  initCpuMs: number;
  /** With no model loaded. */
  coldCpuMs: number;
  /** With every model loaded. */
  warmCpuMs: number;
  scoreCpuMs: number;
  trainCpuMs: number;
  forecastBytes: number;
};

export type Projection = {
  sensors: number;
  shards: number;
  /** Environments that work at the same time, so that a cycle is done within its step. */
  concurrency: number;
  cycleSeconds: number;
  dollarsPerCycle: number;
  dollarsPerMonth: Record<"forecast" | "score" | "train" | "queues" | "models" | "watching" | "total", number>;
  /** Forecast rows of a month in the predictor database, before anything is removed. */
  gigabytesPerMonth: number;
};

/** What a fleet of so many sensors would cost on AWS, without Neon, CloudFront and traffic. */
export function project(sensors: number, measured: Measured): Projection {
  const a = assumptions;
  const shards = Math.ceil(sensors / a.shardSize);
  const full = Math.min(sensors, a.shardSize) / a.shardSize;
  const missing = Math.max(0, 1 - a.cachedModels / sensors);
  const missesPerShard = missing * Math.min(sensors, a.shardSize);
  const loadMs = (models: number) => (models / a.s3Loads) * a.s3Waves * a.s3GetMs;
  const waitMs = a.databaseRoundTrips * a.databaseRoundTripMs;
  const warmMs = full * (measured.warmCpuMs + missing * (measured.coldCpuMs - measured.warmCpuMs)) + waitMs;
  const shardMs = warmMs + loadMs(missesPerShard);
  const coldMs = measured.initCpuMs + full * measured.coldCpuMs + waitMs + loadMs(Math.min(sensors, a.shardSize));
  const needed = Math.ceil((shards * shardMs) / (0.8 * a.stepSeconds * 1000 - coldMs));
  const concurrency = Math.min(shards, Math.max(a.maximumConcurrency, needed));
  const warmShards = shards - concurrency;
  const forecastMs = concurrency * coldMs + warmShards * shardMs;
  const scoreMs = concurrency * measured.initCpuMs + shards * (full * measured.scoreCpuMs + waitMs);

  const seconds = (milliseconds: number) => (milliseconds / 1000) * (a.memoryMb / 1024) * prices.lambdaGigabyteSecond;
  const invocations = 2 * shards + 2;
  const forecast = seconds(forecastMs) + shards * prices.lambdaRequest;
  const score = seconds(scoreMs) + shards * prices.lambdaRequest;
  const queues = 2 * shards * a.sqsRequestsPerMessage * prices.sqsRequest + 2 * prices.schedulerInvocation;
  const loads = concurrency * Math.min(sensors, a.shardSize) + warmShards * missesPerShard;
  const models = loads * a.s3GetsPerModel * prices.s3Get;
  const logs = (invocations * a.logBytesPerInvocation * prices.logsGigabyte) / 1e9;
  const dollarsPerCycle = forecast + score + queues + models + logs;
  const month = a.cyclesPerMonth;
  const trainings = sensors * a.trainingsPerSensorMonth;
  const train =
    trainings * (seconds(measured.trainCpuMs + measured.initCpuMs) + prices.lambdaRequest + 3 * prices.s3Put);
  const fixed = a.alarms * prices.alarmMonth + a.metrics * prices.metricMonth + prices.dashboardMonth;
  const parts = {
    forecast: forecast * month,
    score: score * month,
    train,
    queues: queues * month,
    models: models * month,
    watching: logs * month + fixed,
  };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return {
    sensors,
    shards,
    concurrency,
    cycleSeconds: (coldMs + (warmShards / concurrency) * shardMs) / 1000,
    dollarsPerCycle,
    dollarsPerMonth: { ...parts, total },
    gigabytesPerMonth: (sensors * measured.forecastBytes * month) / 1e9,
  };
}
