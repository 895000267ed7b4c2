/// <reference path="../.sst/platform/config.d.ts" />

/** Where the watch writes its own metrics (functions/watch.ts). */
export function ownMetric(metricName: string) {
  return { namespace: "IotLstmPredictor", metricName, dimensions: { Stage: $app.stage } };
}

/** One of SQS's metrics. */
export function queueMetric(metricName: string, queue: sst.aws.Queue) {
  return { namespace: "AWS/SQS", metricName, dimensions: { QueueName: queue.nodes.queue.name } };
}

/** One of Lambda's metrics. */
export function functionMetric(metricName: string, fn: sst.aws.Function) {
  return { namespace: "AWS/Lambda", metricName, dimensions: { FunctionName: fn.name } };
}
