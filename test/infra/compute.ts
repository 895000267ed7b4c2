import { everyStep } from "../../infra/cron.ts";
import type { FunctionName, QueueName, StageSettings } from "../../sst.settings.ts";
import type { Evaluation } from "./evaluate.ts";
import { functionNames, queueNames, title, type World } from "./world.ts";

export function functionViolations({ functions }: World, settings: StageSettings): string[] {
  return functionNames.flatMap((name) => {
    const fn = functions.get(`${title(name)}Function`);
    if (!fn) return [`no function ${name}`];
    const want = settings.functions[name];
    return [
      fn.runtime !== "nodejs24.x" && `${name} runs on ${fn.runtime}`,
      fn.architectures.join() !== settings.architecture && `${name} is built for ${fn.architectures.join()}`,
      fn.memorySize !== want.memoryMb && `${name} has ${fn.memorySize} MB instead of ${want.memoryMb}`,
      fn.timeout !== want.timeoutSeconds && `${name} ends after ${fn.timeout} s instead of ${want.timeoutSeconds}`,
      fn.timeout > 900 && `${name} wants ${fn.timeout} s, Lambda gives 900`,
      (fn.reservedConcurrentExecutions ?? null) !== want.reservedConcurrency &&
        `${name} reserves ${fn.reservedConcurrentExecutions} instead of ${want.reservedConcurrency}`,
      (fn.vpcConfig?.subnetIds.join() ?? "") !== (settings.vpc?.privateSubnets.join() ?? "") &&
        `${name} is not in the VPC of the settings`,
    ].filter((line) => line !== false);
  });
}

export function buildViolations({ builds }: Evaluation): string[] {
  return builds
    .filter(({ handler, exports }) => !exports.includes(handler.split(".").at(-1) ?? ""))
    .map(({ handler, exports }) => `${handler} is not exported; the bundle exports ${exports.join() || "nothing"}`);
}

export function queueViolations({ queues, mappings, functions }: World, settings: StageSettings): string[] {
  const dead = [...queues].filter(([name]) => name.includes("DeadLetters"));
  const perQueue = queueNames.flatMap((name: QueueName) => {
    const queue = queues.get(`${title(name)}QueueQueue`);
    const fn = functions.get(`${title(name)}Function`);
    if (!queue || !fn) return [`no queue or function ${name}`];
    const mapping = mappings.find(({ eventSourceArn }) => eventSourceArn.endsWith(`:${queue.name}`));
    const target = dead.find(([, { name }]) => queue.redrivePolicy?.deadLetterTargetArn.endsWith(`:${name}`));
    const want = settings.queues[name];
    return [
      queue.visibilityTimeoutSeconds < 6 * fn.timeout &&
        `${name} queue: visible again after ${queue.visibilityTimeoutSeconds} s, less than 6 times ${fn.timeout} s`,
      !target && `${name} queue has no dead letter queue`,
      target &&
        target[1].messageRetentionSeconds <= queue.messageRetentionSeconds &&
        `${name} queue: dead letters are not kept longer than messages`,
      queue.redrivePolicy?.maxReceiveCount !== want.attempts && `${name} queue does not try ${want.attempts} times`,
      !mapping?.functionName.endsWith(`:${fn.name}`) && `${name} queue does not feed ${name}`,
      mapping?.batchSize !== want.batchSize && `${name} queue has not a batch size of ${want.batchSize}`,
      !mapping?.functionResponseTypes.includes("ReportBatchItemFailures") && `${name} queue: no partial responses`,
      mapping?.scalingConfig?.maximumConcurrency !== want.maximumConcurrency &&
        `${name} queue is not bounded to ${want.maximumConcurrency} invocations`,
    ].filter((line) => typeof line === "string");
  });
  const drained = dead
    .filter(([, { name }]) => mappings.some(({ eventSourceArn }) => eventSourceArn.endsWith(`:${name}`)))
    .map(([name]) => `${name} has a consumer`);
  return [...perQueue, ...drained];
}

export function scheduleViolations({ schedules, functions, queues }: World, settings: StageSettings): string[] {
  const cycle = everyStep(settings.stepSeconds, settings.settleMinutes);
  const expected: [string, string, FunctionName, string | undefined][] = [
    ["Forecast", cycle, "schedule", "forecast"],
    ["Score", cycle, "schedule", "score"],
    ["Train", settings.schedules.train, "schedule", "train"],
    ["Drift", settings.schedules.drift, "schedule", "drift"],
    ["Promote", settings.schedules.promote, "promote", undefined],
    ["Backup", settings.schedules.backup, "backup", undefined],
    ["Watch", settings.schedules.watch, "watch", undefined],
  ];
  return expected.flatMap(([name, expression, fn, task]) => {
    const schedule = schedules.get(`${name}TickSchedule`);
    if (!schedule) return [`no schedule ${name}`];
    const { target } = schedule;
    const dead = queues.get("TickDeadLettersQueue");
    return [
      schedule.scheduleExpression !== expression && `${name} ticks by ${schedule.scheduleExpression}`,
      schedule.scheduleExpressionTimezone !== "UTC" && `${name} does not tick in UTC`,
      !target.arn.endsWith(`:${functions.get(`${title(fn)}Function`)?.name}`) && `${name} does not call ${fn}`,
      target.input.time !== "<aws.scheduler.scheduled-time>" && `${name} does not carry its scheduled time`,
      target.input.task !== task && `${name} carries the task ${target.input.task}`,
      target.retryPolicy.maximumRetryAttempts < 1 && `${name} is not tried again`,
      !(dead && target.deadLetterConfig?.arn.endsWith(`:${dead.name}`)) && `${name} has no dead letter queue`,
    ].filter((line) => typeof line === "string");
  });
}
