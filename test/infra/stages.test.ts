import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settingsFor } from "../../sst.settings.ts";
import { type Evaluation, evaluate, secrets } from "./evaluate.ts";
import { grants, policyViolations, Role } from "./policies.ts";
import { violations } from "./rules.ts";

const deadLetters = "ForecastDeadLetters, ScoreDeadLetters, TrainDeadLetters, NotifyDeadLetters";
const artifacts = await mkdtemp(join(tmpdir(), "stages-"));
afterAll(() => rm(artifacts, { recursive: true, force: true }));

describe.each(["dev", "production"])("stage %s", (stage) => {
  let evaluation: Evaluation;
  beforeAll(async () => {
    evaluation = await evaluate(stage, { artifacts: join(artifacts, stage) });
  });

  test("keeps every rule", () => {
    expect(violations(evaluation, settingsFor(stage), secrets)).toEqual([]);
  });

  test("gives each function the actions and resources that it uses, and no others", () => {
    expect(permissions(evaluation)).toEqual({
      Schedule: ["sqs:SendMessage ForecastQueue, ScoreQueue, TrainQueue"],
      Forecast: [
        ...receives("ForecastQueue"),
        "sqs:SendMessage ForecastDeadLetters, NotifyQueue",
        "s3:GetObject Store/models/*",
        "s3:ListBucket Store",
      ],
      Score: [...receives("ScoreQueue"), "sqs:SendMessage ScoreDeadLetters"],
      Train: [
        ...receives("TrainQueue"),
        "sqs:SendMessage TrainDeadLetters",
        "s3:GetObject Store/models/*",
        "s3:ListBucket Store",
        "s3:PutObject Store/models/*",
      ],
      Promote: [],
      Watch: ["sqs:SendMessage NotifyQueue"],
      Backup: [
        "s3:GetObject Store/archive/*, Store/backups/*",
        "s3:PutObject Store/archive/*, Store/backups/*",
        "s3:ListBucket Store",
      ],
      Notify: [...receives("NotifyQueue"), "sqs:SendMessage NotifyDeadLetters, NotifyQueue"],
      Api: [
        "sqs:SendMessage ForecastQueue, TrainQueue, NotifyQueue",
        `sqs:GetQueueAttributes ForecastQueue, ScoreQueue, TrainQueue, NotifyQueue, ${deadLetters}`,
        `sqs:ReceiveMessage ${deadLetters}`,
        `sqs:ChangeMessageVisibility ${deadLetters}`,
        "s3:GetObject Store/models/*",
        "s3:ListBucket Store",
      ],
    });
  });

  test("links to each function the secrets that it uses, and no others", () => {
    const linked = Object.fromEntries(
      evaluation.builds.map(({ functionID, links }) => [functionID, Object.keys(links)]),
    );
    const databases = ["FollowerDatabaseUrl", "PredictorDatabaseUrl"];
    expect(linked).toEqual({
      Schedule: databases,
      Forecast: databases,
      Score: databases,
      Train: databases,
      Promote: ["PredictorDatabaseUrl"],
      Watch: databases,
      Backup: ["PredictorDatabaseUrl"],
      Notify: ["PredictorDatabaseUrl", "AlertSecretKey"],
      Api: [...databases, "ApiKey", "AlertSecretKey"],
    });
  });

  test("encrypts the linked secrets in what is uploaded", async () => {
    for (const { out } of evaluation.builds) {
      for (const file of await readdir(out, { withFileTypes: true })) {
        if (!file.isFile()) continue;
        const bytes = await readFile(join(out, file.name), "latin1");
        for (const secret of Object.values(secrets)) expect(bytes.includes(secret)).toBe(false);
      }
    }
  });
});

test("a private follower's VPC, arm64 and an address for alarms are a setting each", async () => {
  const vpc = { securityGroups: ["sg-1"], privateSubnets: ["subnet-1"] };
  const change = (from: string, to: string) => ({ file: "sst.settings.ts", from, to });
  const { builds, ...evaluation } = await evaluate("dev", {
    artifacts: join(artifacts, "private"),
    patches: [
      change("vpc: null", `vpc: ${JSON.stringify(vpc)}`),
      change('architecture: "x86_64",', 'architecture: "arm64",'),
      change("alarmEmail: null", 'alarmEmail: "operator@example.com"'),
    ],
  });
  const settings = { ...settingsFor("dev"), vpc, architecture: "arm64" as const };
  expect(violations({ builds, ...evaluation }, settings, secrets)).toEqual([]);
  expect(evaluation.resources.find(({ name }) => name === "AlarmEmail")?.inputs.endpoint).toBe("operator@example.com");
  const forecast = builds.find(({ functionID }) => functionID === "Forecast");
  const platforms = await readdir(join(forecast?.out ?? "", "node_modules/onnxruntime-node/bin/napi-v6/linux"));
  expect(platforms).toEqual(["arm64"]);
});

test("mails, topics and secrets of alerts are allowed by name, once the settings have them", async () => {
  const topic = "arn:aws:sns:eu-central-1:123456789012:alerts";
  const from = "alerts: { emailFrom: null, topicArns: [], secretPrefix: null,";
  const to = `alerts: { emailFrom: "Forecasts <alerts@site.example>", topicArns: ["${topic}"], secretPrefix: "/site/alerts/",`;
  const evaluation = await evaluate("dev", {
    artifacts: join(artifacts, "alerts"),
    patches: [{ file: "sst.settings.ts", from, to }],
  });
  const role = evaluation.resources.find(({ type, name }) => type === "aws:iam/role:Role" && name === "NotifyRole");
  const told = grants(Role.parse(role?.inputs)).filter(({ action }) => /^(ses|sns|ssm|secretsmanager):/.test(action));
  expect(
    told.map(({ action, resource }) => `${action} ${resource.replace(/^.*:(?=identity|alerts|parameter|secret)/, "")}`),
  ).toEqual([
    "ses:SendEmail identity/alerts@site.example",
    "ses:SendEmail identity/site.example",
    "ses:SendRawEmail identity/alerts@site.example",
    "ses:SendRawEmail identity/site.example",
    "sns:Publish alerts",
    "ssm:GetParameter parameter/site/alerts/*",
    "secretsmanager:GetSecretValue secret:site/alerts/*",
  ]);
  expect(policyViolations(evaluation.resources)).toEqual([]);
});

function receives(queue: string): string[] {
  const actions = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"];
  return actions.map((action) => `sqs:${action} ${queue}`);
}

/** Per function "action resources", by logical names, but for its own log. */
function permissions({ resources }: Evaluation): Record<string, string[]> {
  const functions = resources.filter(({ type }) => type === "aws:lambda/function:Function");
  return Object.fromEntries(
    functions.map(({ name, inputs }) => {
      const role = resources.find((one) => String(inputs.role).endsWith(`/${one.inputs.name}`));
      const actions = new Map<string, string[]>();
      for (const { action, resource } of grants(Role.parse(role?.inputs))) {
        if (!action.startsWith("logs:")) actions.set(action, [...(actions.get(action) ?? []), logical(resource)]);
      }
      return [name.replace(/Function$/, ""), [...actions].map(([action, list]) => `${action} ${list.join(", ")}`)];
    }),
  );

  function logical(arn: string): string {
    const [physical = "", ...path] = (arn.split(":").at(-1) ?? "").split("/");
    const found = resources.find(
      ({ type, inputs }) =>
        /sqs\/queue:Queue|s3\/bucket:Bucket/.test(type) && [inputs.name, inputs.bucket].includes(physical),
    );
    return [found?.name.replace(/(Queue|Bucket)$/, "") ?? arn, ...path].join("/");
  }
}
