/// <reference path="../.sst/platform/config.d.ts" />
import type { StageSettings } from "../sst.settings.ts";
import type { Functions } from "./functions.ts";
import { functionMetric, ownMetric, queueMetric } from "./metrics.ts";
import { title } from "./names.ts";
import type { Queues } from "./queues.ts";

type Alarm = Omit<aws.cloudwatch.MetricAlarmArgs, "comparisonOperator" | "evaluationPeriods" | "alarmActions"> &
  Partial<Pick<aws.cloudwatch.MetricAlarmArgs, "comparisonOperator">>;

/** What a person is told of, all by one topic. */
export function createAlarms(settings: StageSettings, queues: Queues, functions: Functions) {
  const topic = new sst.aws.SnsTopic("Alarms");
  const { stepSeconds, alarmEmail } = settings;
  if (alarmEmail) {
    new aws.sns.TopicSubscription("AlarmEmail", { topic: topic.arn, protocol: "email", endpoint: alarmEmail });
  }
  const alarm = (name: string, args: Alarm) =>
    new aws.cloudwatch.MetricAlarm(`${name}Alarm`, {
      name: `${$app.name}-${$app.stage}-${name}`,
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: 1,
      period: 300,
      statistic: "Maximum",
      treatMissingData: "notBreaching",
      alarmActions: [topic.arn],
      okActions: [topic.arn],
      ...args,
    });

  const { forecast, score, train, notify, ticksDead } = queues;
  const dead = { Forecast: forecast.dead, Score: score.dead, Train: train.dead, Notify: notify.dead, Tick: ticksDead };
  for (const [name, queue] of Object.entries(dead)) {
    alarm(`${name}DeadLetters`, { ...queueMetric("ApproximateNumberOfMessagesVisible", queue), threshold: 0 });
  }
  const patienceSeconds = { forecast: 2 * stepSeconds, score: 6 * stepSeconds, train: 6 * 3_600, notify: 1_800 };
  for (const name of ["forecast", "score", "train", "notify"] as const) {
    const age = queueMetric("ApproximateAgeOfOldestMessage", queues[name].queue);
    alarm(`${title(name)}OldestMessage`, { ...age, threshold: patienceSeconds[name] });
  }
  for (const [name, fn] of Object.entries(functions)) {
    alarm(`${title(name)}Errors`, { ...functionMetric("Errors", fn), statistic: "Sum", threshold: 0 });
  }
  alarm("ApiServerErrors", { ...functionMetric("Url5xxCount", functions.api), statistic: "Sum", threshold: 0 });
  // What the API refused, from its own log: 401 are wrong keys, 429 somebody who asks too often.
  for (const [status, most] of [
    [401, 100],
    [429, 1_000],
  ] as const) {
    const metric = { namespace: "IotLstmPredictor", metricName: `Api${status}-${$app.stage}` };
    const filter = {
      logGroupName: `/${$app.name}/${$app.stage}/api`,
      pattern: `{ $.event = "api.request" && $.status = ${status} }`,
      metricTransformation: { name: metric.metricName, namespace: metric.namespace, value: "1" },
    };
    new aws.cloudwatch.LogMetricFilter(`Api${status}Filter`, filter, { dependsOn: [functions.api] });
    alarm(`Api${status}`, { ...metric, statistic: "Sum", threshold: most });
  }
  if (settings.monthlyBudget && alarmEmail) {
    new aws.budgets.Budget("Spend", {
      name: `${$app.name}-${$app.stage}`,
      budgetType: "COST",
      timeUnit: "MONTHLY",
      limitAmount: `${settings.monthlyBudget}`,
      limitUnit: "USD",
      notifications: [
        {
          comparisonOperator: "GREATER_THAN",
          notificationType: "FORECASTED",
          threshold: 100,
          thresholdType: "PERCENTAGE",
          subscriberEmailAddresses: [alarmEmail],
        },
      ],
    });
  }
  // No metric at all means that nobody watches: that is an alarm too.
  const watched = { period: 900, treatMissingData: "breaching" };
  alarm("MissedCycles", { ...ownMetric("MissedCycles"), ...watched, threshold: 0 });
  alarm("FollowerWritable", { ...ownMetric("FollowerWritable"), threshold: 0 });
  // Nothing is told of a limit that nobody set, and of backups before the first one.
  const full = { comparisonOperator: "LessThanThreshold", statistic: "Minimum", threshold: 14 };
  alarm("DatabaseDaysToLimit", { ...ownMetric("DatabaseDaysToLimit"), ...full });
  alarm("BackupAge", { ...ownMetric("BackupAgeSeconds"), threshold: 2 * 86_400 });
  alarm("SourceAge", { ...ownMetric("SourceAgeSeconds"), ...watched, threshold: 6 * stepSeconds });
  return topic;
}
