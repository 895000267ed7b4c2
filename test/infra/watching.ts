import type { StageSettings } from "../../sst.settings.ts";
import type { Resource } from "./evaluate.ts";
import type { World } from "./world.ts";

export function logViolations({ functions, logGroups }: World, settings: StageSettings): string[] {
  return [...functions].flatMap(([name, { loggingConfig }]) => {
    const group = logGroups.find((one) => one.name === loggingConfig.logGroup);
    return group?.retentionInDays === settings.logRetentionDays
      ? []
      : [`${name}'s log is not kept as the settings say`];
  });
}

export function alarmViolations({ alarms, queues, functions }: World, resources: Resource[]): string[] {
  const watched = (metric: string, dimension?: string) =>
    alarms.find(
      ({ metricName, dimensions, alarmActions }) =>
        metricName === metric &&
        (!dimension || Object.values(dimensions).includes(dimension)) &&
        alarmActions.length > 0 &&
        alarmActions.every((arn) => arn.startsWith("arn:aws:sns:")),
    );
  const wanted: [string, string?][] = [
    ...[...queues].map(([key, { name }]): [string, string] => [
      key.includes("DeadLetters") ? "ApproximateNumberOfMessagesVisible" : "ApproximateAgeOfOldestMessage",
      name,
    ]),
    ...[...functions.values()].map(({ name }): [string, string] => ["Errors", name]),
    ["Url5xxCount", functions.get("ApiFunction")?.name ?? "missing"],
    ["MissedCycles"],
    ["FollowerWritable"],
    ["SourceAgeSeconds"],
  ];
  const missing = wanted
    .filter(([metric, dimension]) => !watched(metric, dimension))
    .map(([metric, dimension]) => `no alarm on ${metric} ${dimension ?? ""}`.trim());
  const silent = watched("MissedCycles")?.treatMissingData === "breaching" ? [] : ["a dead watch raises no alarm"];
  const dashboard = resources.find(({ type }) => type === "aws:cloudwatch/dashboard:Dashboard");
  const body = String(dashboard?.inputs.dashboardBody ?? "");
  const unseen = [...functions.values(), ...queues.values()]
    .filter(({ name }) => !body.includes(`"${name}"`))
    .map(({ name }) => `${name} is not on the dashboard`);
  return [...missing, ...silent, ...unseen];
}
