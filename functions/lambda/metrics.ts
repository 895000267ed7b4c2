import type { Observation } from "../../core/operations/watch.ts";

const units = {
  MissedCycles: "Count",
  SourceAgeSeconds: "Seconds",
  ReplicationLagBytes: "Bytes",
  DatabaseBytes: "Bytes",
  DatabaseDaysToLimit: "Count",
  BackupAgeSeconds: "Seconds",
  FollowerWritable: "Count",
};

/** CloudWatch's embedded metric format: the log line is the metric, and needs no permission. */
export function toMetrics(seen: Observation, at: Date, stage: string): Record<string, unknown> {
  const values = {
    MissedCycles: seen.missedCycles,
    SourceAgeSeconds: seen.sourceAgeSeconds,
    ReplicationLagBytes: seen.replicationLagBytes,
    DatabaseBytes: seen.databaseBytes,
    DatabaseDaysToLimit: seen.databaseDaysToLimit,
    BackupAgeSeconds: seen.backupAgeSeconds,
    FollowerWritable: seen.isWritable === null ? null : Number(seen.isWritable),
  };
  const known = Object.entries(values).filter(([, value]) => value !== null);
  const metrics = Object.entries(units).flatMap(([Name, Unit]) =>
    known.some(([name]) => name === Name) ? { Name, Unit } : [],
  );
  const directive = { Namespace: "IotLstmPredictor", Dimensions: [["Stage"]], Metrics: metrics };
  return {
    _aws: { Timestamp: at.getTime(), CloudWatchMetrics: [directive] },
    Stage: stage,
    ...Object.fromEntries(known),
  };
}
