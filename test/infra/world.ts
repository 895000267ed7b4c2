import { z } from "zod";
import type { Resource } from "./evaluate.ts";

const Lambda = z.object({
  name: z.string(),
  runtime: z.string(),
  architectures: z.array(z.string()),
  memorySize: z.number(),
  timeout: z.number(),
  reservedConcurrentExecutions: z.number().optional(),
  loggingConfig: z.object({ logGroup: z.string() }),
  environment: z.object({ variables: z.record(z.string(), z.string()) }),
  vpcConfig: z.object({ subnetIds: z.array(z.string()), securityGroupIds: z.array(z.string()) }).optional(),
});
const Queue = z.object({
  name: z.string(),
  visibilityTimeoutSeconds: z.number(),
  messageRetentionSeconds: z.number().default(4 * 86_400),
  redrivePolicy: z
    .string()
    .transform((text) =>
      z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() }).parse(JSON.parse(text)),
    )
    .optional(),
});
const Mapping = z.object({
  eventSourceArn: z.string(),
  functionName: z.string(),
  batchSize: z.number(),
  functionResponseTypes: z.array(z.string()).default([]),
  scalingConfig: z.object({ maximumConcurrency: z.number() }).optional(),
});
const Schedule = z.object({
  scheduleExpression: z.string(),
  scheduleExpressionTimezone: z.string().optional(),
  target: z.object({
    arn: z.string(),
    input: z
      .string()
      .transform((text) => z.object({ time: z.string(), task: z.string().optional() }).parse(JSON.parse(text))),
    retryPolicy: z.object({ maximumRetryAttempts: z.number() }),
    deadLetterConfig: z.object({ arn: z.string() }).optional(),
  }),
});
const Alarm = z.object({
  namespace: z.string(),
  metricName: z.string(),
  dimensions: z.record(z.string(), z.string()).default({}),
  alarmActions: z.array(z.string()).default([]),
  treatMissingData: z.string().optional(),
});
const LogGroup = z.object({ name: z.string(), retentionInDays: z.number().optional() });

const workers = ["schedule", "forecast", "score", "train", "promote", "watch", "backup", "notify"] as const;
export const functionNames = [...workers, "api"] as const;
export const queueNames = ["forecast", "score", "train", "notify"] as const;
export const title = (name: string) => name.slice(0, 1).toUpperCase() + name.slice(1);

/** A deployment's resources by their logical names, as far as the rules look at them. */
export type World = ReturnType<typeof read>;

/** Reads what Pulumi was asked for; throws where a resource has not the shape that AWS wants. */
export function read(resources: Resource[]) {
  const all = <T>(type: string, schema: z.ZodType<T>) =>
    new Map(resources.filter((r) => r.type === type).map((r) => [r.name, schema.parse(r.inputs)]));
  return {
    functions: all("aws:lambda/function:Function", Lambda),
    queues: all("aws:sqs/queue:Queue", Queue),
    mappings: [...all("aws:lambda/eventSourceMapping:EventSourceMapping", Mapping).values()],
    schedules: all("aws:scheduler/schedule:Schedule", Schedule),
    alarms: [...all("aws:cloudwatch/metricAlarm:MetricAlarm", Alarm).values()],
    logGroups: [...all("aws:cloudwatch/logGroup:LogGroup", LogGroup).values()],
  };
}
