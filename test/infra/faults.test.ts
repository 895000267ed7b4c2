import { beforeAll, describe, expect, test } from "vitest";
import { settingsFor } from "../../sst.settings.ts";
import { type Evaluation, evaluate, type Patch, type Resource, secrets } from "./evaluate.ts";
import { violations } from "./rules.ts";

const settings = settingsFor("dev");
/** Spares copying and packing ONNX Runtime's 46 MB, which no rule looks at. */
const light: Patch = { file: "infra/functions.ts", from: "if (needs.onnx) await", to: "if (false) await" };

/** The same fault as a person would make it: in the text of infra/, then evaluated whole. */
describe("a fault planted in infra/ is found", () => {
  const edge = "functions/lambda/edge-code.ts";
  const functions = "infra/functions.ts";
  const queues = "infra/queues.ts";
  const planted: [string, Patch, RegExp][] = [
    [
      "visibility timeout below the function's",
      { file: queues, from: "6 * settings.functions[name]", to: "0.5 * settings.functions[name]" },
      /forecast queue: visible again after 60 s, less than 6 times 120 s/,
    ],
    ["`*` as an action", { file: functions, from: '"s3:PutObject"', to: '"s3:*"' }, /TrainRole allows s3:\* on arn/],
    [
      "`*` as a resource",
      {
        file: functions,
        from: '{ actions: ["s3:GetObject"], resources: [store.models] }',
        to: '{ actions: ["s3:GetObject"], resources: ["*"] }',
      },
      /ForecastRole allows s3:GetObject on \*/,
    ],
    [
      "no dead letter queue",
      { file: queues, from: "dlq: { queue: dead.arn, retry: settings.queues[name].attempts },", to: "" },
      /train queue has no dead letter queue/,
    ],
    [
      "a secret in the plain environment",
      {
        file: functions,
        from: "environment,\n    permissions",
        to: "environment: { ...environment, PREDICTOR_DATABASE_URL: needs.link.at(-1)!.value },\n    permissions",
      },
      /ScoreFunction shows PredictorDatabaseUrl/,
    ],
    [
      "an edge that does not say who it is",
      { file: edge, from: '= { value: "', to: '= { secret: "' },
      /own URL answers anybody/,
    ],
    [
      "a viewer's address that the viewer may write",
      { file: edge, from: "{ value: event.viewer.ip }", to: 'event.request.headers["x-forwarded-for"]' },
      /whoever asks may say from where/,
    ],
    [
      "a dashboard without a policy",
      { file: edge, from: "...Object.entries(pageHeaders).map(setting)", to: "...[]" },
      /no policy/,
    ],
    ["no access log", { file: "sst.config.ts", from: "createEdgeLog(settings, router);", to: "" }, /no access log/],
    [
      "an access log with the sign-in's code",
      { file: "infra/requests.ts", from: '"cs-uri-stem",', to: '"cs-uri-stem", "cs-uri-query",' },
      /holds what signs people in/,
    ],
    [
      "a WAF that nobody set, or forgot",
      { file: "infra/web.ts", from: "requestsPerFiveMinutes ? { waf", to: "!requestsPerFiveMinutes ? { waf" },
      /the WAF is not as the settings say/,
    ],
    [
      "a handler that its file does not export",
      { file: functions, from: "}.handler`", to: "}.main`" },
      /functions\/forecast\.main is not exported/,
    ],
  ];

  test.each(planted)("%s", async (_name, patch, message) => {
    const evaluation = await evaluate("dev", { patches: [light, patch] });
    expect(violations(evaluation, settings, secrets)).toContainEqual(expect.stringMatching(message));
  });

  test("a handler path without a file stops the deployment", async () => {
    const patch = { file: functions, from: "handler: `functions/", to: "handler: `lambdas/" };
    await expect(evaluate("dev", { patches: [light, patch] })).rejects.toThrow(/lambdas\/\w+\.handler/);
  });

  test("a key too short to keep anybody out stops the deployment", async () => {
    const short = { ...secrets, ApiKey: "guessable" };
    await expect(evaluate("dev", { patches: [light], secrets: short })).rejects.toThrow(/ApiKey has 9 characters/);
  });

  test("a secret that was not set stops the deployment", async () => {
    await expect(evaluate("dev", { patches: [light], secrets: {} })).rejects.toThrow(/sst secret set/);
  });
});

/** Faults planted in the evaluated resources: each rule can fail. */
describe("a fault planted in the resources is found", () => {
  let sound: Evaluation;
  beforeAll(async () => {
    sound = await evaluate("production", { patches: [light] });
  });

  const planted: [string, (find: (name: string) => Resource) => void, RegExp][] = [
    ["runtime", (find) => set(find("ScoreFunction"), { runtime: "nodejs20.x" }), /score runs on nodejs20.x/],
    ["memory", (find) => set(find("ApiFunction"), { memorySize: 128 }), /api has 128 MB/],
    ["reserved", (find) => set(find("ApiFunction"), { reservedConcurrentExecutions: undefined }), /api reserves/],
    ["log retention", (find) => set(find("ApiLogs"), { retentionInDays: 0 }), /ApiFunction's log/],
    ["versions", (find) => set(find("StoreVersioning"), { versioningConfiguration: {} }), /no versions/],
    ["public store", (find) => set(find("StorePublicAccessBlock"), { blockPublicPolicy: false }), /store is open/],
    ["protection", (find) => (find("StoreBucket").isProtected = false), /can be lost/],
    ["retention", (find) => (find("StoreBucket").isRetained = false), /can be lost/],
    [
      "nobody told of a follower that could be written",
      (find) => set(find("FollowerWritableAlarm"), { alarmActions: [] }),
      /no alarm on FollowerWritable/,
    ],
    ["access log's retention", (find) => set(find("EdgeLogs"), { retentionInDays: 0 }), /access log is not kept/],
    [
      "alarm's topic",
      (find) => set(find("ForecastErrorsAlarm"), { alarmActions: [] }),
      /no alarm on Errors .*Forecast/,
    ],
    ["silent watch", (find) => set(find("MissedCyclesAlarm"), { treatMissingData: "notBreaching" }), /dead watch/],
    [
      "dashboard",
      (find) => set(find("Operations"), { dashboardBody: "{}" }),
      /ForecastFunction-\w+ is not on the dash/,
    ],
    ["schedule", (find) => set(find("ForecastTickSchedule"), { scheduleExpression: "rate(1 day)" }), /ticks by rate/],
    [
      "managed policy",
      (find) => set(find("ApiRole"), { managedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"] }),
      /ApiRole has the managed policy/,
    ],
    [
      "trust",
      (find) =>
        set(find("ApiRole"), {
          assumeRolePolicy: { Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "*" } }] },
        }),
      /ApiRole can be assumed/,
    ],
    [
      "partial responses",
      (find) => set(find(/^ForecastQueueSubscriber.*Mapping$/.source), { functionResponseTypes: [] }),
      /forecast queue: no partial responses/,
    ],
    [
      "bound on concurrency",
      (find) => set(find(/^TrainQueueSubscriber.*Mapping$/.source), { scalingConfig: undefined }),
      /train queue is not bounded/,
    ],
  ];

  test.each(planted)("%s", (_name, plant, message) => {
    const evaluation = structuredClone(sound);
    plant((name) => {
      const found = evaluation.resources.find(
        (one) => !one.type.startsWith("sst:") && new RegExp(`^${name}$`).test(one.name),
      );
      if (!found) throw new Error(`no resource ${name}`);
      return found;
    });
    expect(violations(evaluation, settingsFor("production"), secrets)).toContainEqual(expect.stringMatching(message));
  });

  test("an aws provider of any version", () => {
    const evaluation = { ...sound, app: { ...sound.app, providers: { aws: { version: "7" } } } };
    expect(violations(evaluation, settingsFor("production"), secrets)).toContainEqual(
      expect.stringMatching(/not pinned/),
    );
  });
});

function set(resource: Resource, inputs: Record<string, unknown>) {
  Object.assign(resource.inputs, inputs);
}
