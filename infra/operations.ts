/// <reference path="../.sst/platform/config.d.ts" />
import type { Functions } from "./functions.ts";
import { functionMetric, ownMetric, queueMetric } from "./metrics.ts";
import type { Queues } from "./queues.ts";

type Metric = ReturnType<typeof ownMetric> | ReturnType<typeof queueMetric> | ReturnType<typeof functionMetric>;

/** The operator's page in CloudWatch. */
export function createOperationsPage({ ticksDead, ...work }: Queues, functions: Functions) {
  const queues = [...Object.values(work).flatMap(({ queue, dead }) => [queue, dead]), ticksDead];
  const perQueue = (metric: string) => queues.map((queue) => queueMetric(metric, queue));
  const perFunction = (metric: string) => Object.values(functions).map((fn) => functionMetric(metric, fn));
  new aws.cloudwatch.Dashboard("Operations", {
    dashboardName: `${$app.name}-${$app.stage}`,
    dashboardBody: $jsonStringify({
      widgets: [
        chart("Missed cycles", [ownMetric("MissedCycles")], "Maximum"),
        chart("Source: age and lag", [ownMetric("SourceAgeSeconds"), ownMetric("ReplicationLagBytes")], "Maximum"),
        chart("Predictor database", [ownMetric("DatabaseBytes")], "Maximum"),
        chart("Days to its limit", [ownMetric("DatabaseDaysToLimit")], "Minimum"),
        chart("Age of the last good backup", [ownMetric("BackupAgeSeconds")], "Maximum"),
        chart("Messages waiting", perQueue("ApproximateNumberOfMessagesVisible"), "Maximum"),
        chart("Age of the oldest message", perQueue("ApproximateAgeOfOldestMessage"), "Maximum"),
        chart("Duration p95", perFunction("Duration"), "p95"),
        chart("Errors", perFunction("Errors"), "Sum"),
        chart("Throttles", perFunction("Throttles"), "Sum"),
        chart("Concurrent executions", perFunction("ConcurrentExecutions"), "Maximum"),
      ],
    }),
  });
}

function chart(title: string, metrics: Metric[], stat: string) {
  const lines = metrics.map(({ namespace, metricName, dimensions }) => [
    namespace,
    metricName,
    ...Object.entries(dimensions).flat(),
  ]);
  const { region } = aws.getRegionOutput();
  return { type: "metric", width: 12, height: 6, properties: { title, metrics: lines, stat, period: 300, region } };
}
