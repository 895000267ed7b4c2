/// <reference path="../.sst/platform/config.d.ts" />
import type { FunctionName, QueueName, StageSettings } from "../sst.settings.ts";
import { addOnnxRuntime, addStart, addTrainingEngine, removeUnreached, startFile } from "./bundles.ts";
import { title } from "./names.ts";
import type { Queues } from "./queues.ts";
import type { Store } from "./store.ts";

type Permission = { actions: string[]; resources: $util.Input<$util.Input<string>[]> };
/** What a function has beside its code: secrets, rights, and files that are not bundled. */
type Needs = { link: sst.Secret[]; permissions: Permission[]; onnx?: boolean; engine?: boolean; url?: boolean };

/** One function an entry point, each with a role of its own: the actions and resources named here and nothing else. */
export function createFunctions(settings: StageSettings, store: Store, queues: Queues, apiKey: sst.Secret) {
  // Secrets: `npx sst secret set Name`. They reach a function encrypted in its bundle, never by its environment.
  const followerUrl = new sst.Secret("FollowerDatabaseUrl");
  const predictorUrl = new sst.Secret("PredictorDatabaseUrl");
  const databases = [followerUrl, predictorUrl];
  // Channels' secrets are stored under it; empty until somebody sets it, and then no such channel can be made.
  const alertKey = new sst.Secret("AlertSecretKey", "");

  const sends = (...names: QueueName[]): Permission => ({
    actions: ["sqs:SendMessage"],
    resources: names.map((name) => queues[name].queue.arn),
  });
  const receives = (name: QueueName): Permission => ({
    actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
    resources: [queues[name].queue.arn],
  });
  /** What fails at its last delivery goes there with the reason. */
  const buries = (name: QueueName): Permission => ({
    actions: ["sqs:SendMessage"],
    resources: [queues[name].dead.arn],
  });
  const work = [queues.forecast, queues.score, queues.train, queues.notify];
  const looksAtDeadLetters: Permission[] = [
    { actions: ["sqs:GetQueueAttributes"], resources: work.map(({ queue }) => queue.arn) },
    {
      actions: ["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility"],
      resources: work.map(({ dead }) => dead.arn),
    },
  ];
  // ListBucket lets S3 answer 404 instead of 403 for a model that is not there.
  const readsModels: Permission[] = [
    { actions: ["s3:GetObject"], resources: [store.models] },
    { actions: ["s3:ListBucket"], resources: [store.bucket.arn] },
  ];
  const writesModels: Permission[] = [{ actions: ["s3:PutObject"], resources: [store.models] }];

  const environment = environmentOf(settings, store, queues);
  const create = (name: FunctionName, needs: Needs) => createFunction(name, settings, environment, needs);
  return {
    schedule: create("schedule", { link: databases, permissions: [sends("forecast", "score", "train")] }),
    forecast: create("forecast", {
      link: databases,
      permissions: [receives("forecast"), buries("forecast"), sends("notify"), ...readsModels],
      onnx: true,
    }),
    score: create("score", { link: databases, permissions: [receives("score"), buries("score")] }),
    train: create("train", {
      link: databases,
      permissions: [receives("train"), buries("train"), ...readsModels, ...writesModels],
      onnx: true,
      engine: true,
    }),
    promote: create("promote", { link: [predictorUrl], permissions: [] }),
    watch: create("watch", { link: databases, permissions: [sends("notify")] }),
    notify: create("notify", {
      link: [predictorUrl, alertKey],
      permissions: [receives("notify"), buries("notify"), sends("notify"), ...tellsBy(settings)],
    }),
    backup: create("backup", {
      link: [predictorUrl],
      permissions: [
        { actions: ["s3:GetObject", "s3:PutObject"], resources: store.backups },
        { actions: ["s3:ListBucket"], resources: [store.bucket.arn] },
      ],
    }),
    // It verifies a model before it promotes one by hand.
    api: create("api", {
      link: [...databases, apiKey, alertKey],
      permissions: [sends("forecast", "train", "notify"), ...looksAtDeadLetters, ...readsModels],
      onnx: true,
      url: true,
    }),
  };
}
export type Functions = ReturnType<typeof createFunctions>;

/** Mail by the one identity, the named topics, secrets under the one prefix: nothing where nobody has set them up. */
function tellsBy({ alerts: { emailFrom, topicArns, secretPrefix } }: StageSettings): Permission[] {
  const address = emailFrom && (/<([^>]+)>/.exec(emailFrom)?.[1] ?? emailFrom);
  const { accountId } = aws.getCallerIdentityOutput();
  const { region } = aws.getRegionOutput();
  const identity = (name: string) => $interpolate`arn:aws:ses:${region}:${accountId}:identity/${name}`;
  // SES takes the address or, where that is not verified, its domain.
  const mail = address
    ? [
        {
          actions: ["ses:SendEmail", "ses:SendRawEmail"],
          resources: [identity(address), identity(address.split("@")[1]!)],
        },
      ]
    : [];
  const ofAccount = (service: string) => $interpolate`arn:aws:${service}:${region}:${accountId}`;
  const secrets = secretPrefix
    ? [
        { actions: ["ssm:GetParameter"], resources: [$interpolate`${ofAccount("ssm")}:parameter${secretPrefix}*`] },
        {
          actions: ["secretsmanager:GetSecretValue"],
          resources: [$interpolate`${ofAccount("secretsmanager")}:secret:${secretPrefix.slice(1)}*`],
        },
      ]
    : [];
  const topics = topicArns.length > 0 ? [{ actions: ["sns:Publish"], resources: topicArns }] : [];
  return [...mail, ...topics, ...secrets];
}

/** Lets each queue feed the function of its name. */
export function subscribeFunctions(settings: StageSettings, queues: Queues, functions: Functions) {
  for (const name of ["forecast", "score", "train", "notify"] as const) {
    const { batchSize, maximumConcurrency } = settings.queues[name];
    queues[name].queue.subscribe(functions[name].arn, {
      batch: { size: batchSize, partialResponses: true },
      transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency } } },
    });
  }
}

/** The variables of docs/configuration.md that a deployment decides; no secret is among them. */
function environmentOf(settings: StageSettings, { bucket }: Store, queues: Queues) {
  return {
    DATABASE_DRIVER: "neon",
    MODEL_STORE: $interpolate`s3://${bucket.name}/models`,
    BACKUP_STORE: $interpolate`s3://${bucket.name}`,
    STEP_SECONDS: `${settings.stepSeconds}`,
    LEADS: settings.leads ?? "",
    SHARD_SIZE: `${settings.shardSize}`,
    FLEET_GROUPS: `${settings.fleetGroups}`,
    SOURCE_CONFIG: settings.source ? JSON.stringify(settings.source) : "",
    FORECAST_QUEUE_URL: queues.forecast.queue.url,
    SCORE_QUEUE_URL: queues.score.queue.url,
    TRAIN_QUEUE_URL: queues.train.queue.url,
    NOTIFY_QUEUE_URL: queues.notify.queue.url,
    EMAIL_FROM: settings.alerts.emailFrom ?? "",
    ALERT_SECRET_PREFIX: settings.alerts.secretPrefix ?? "",
    ALERT_PRIVATE_HOSTS: settings.alerts.privateHosts.join(),
    SETTLE_SECONDS: `${60 * settings.settleMinutes}`,
    // While developing, a stand-in of SST's that has no such file is what runs.
    ...($dev ? {} : { AWS_LAMBDA_EXEC_WRAPPER: `/var/task/${startFile}` }),
    CODE_VERSION: process.env.GITHUB_SHA?.slice(0, 12) ?? "",
    STAGE: $app.stage,
    LOG_FORMAT: "json",
    ACCESS: settings.access,
    MODEL_PUBLISHERS: settings.modelPublishers.join(","),
    REQUIRE_SIGNATURE: String(settings.requireSignature),
    OIDC_ISSUER: settings.signIn?.issuer ?? "",
    OIDC_CLIENT_ID: settings.signIn?.clientId ?? "",
    OIDC_ROLE_CLAIM: settings.signIn?.roleClaim ?? "",
    OIDC_ADMINS: settings.signIn?.admins.join() ?? "",
    OIDC_OPERATORS: settings.signIn?.operators.join() ?? "",
    OIDC_VIEWERS: settings.signIn?.viewers.join() ?? "",
  };
}

function createFunction(
  name: FunctionName,
  settings: StageSettings,
  environment: ReturnType<typeof environmentOf>,
  needs: Needs,
) {
  const { memoryMb, timeoutSeconds, reservedConcurrency } = settings.functions[name];
  const logs = new aws.cloudwatch.LogGroup(`${title(name)}Logs`, {
    name: `/${$app.name}/${$app.stage}/${name}`,
    retentionInDays: settings.logRetentionDays,
  });
  const writesLog = {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    resources: [$interpolate`${logs.arn}:*`],
  };
  return new sst.aws.Function(title(name), {
    handler: `functions/${name}.handler`,
    runtime: "nodejs24.x",
    architecture: settings.architecture,
    memory: `${memoryMb} MB`,
    timeout: `${timeoutSeconds} seconds`,
    concurrency: reservedConcurrency === null ? {} : { reserved: reservedConcurrency },
    url: needs.url ? { cors: false } : false,
    link: needs.link,
    environment,
    permissions: [...needs.permissions, writesLog],
    logging: { logGroup: logs.name },
    ...(settings.vpc ? { vpc: settings.vpc } : {}),
    nodejs: {
      minify: true,
      // What is imported where it is used is loaded when it is used.
      splitting: true,
      // With names in the code each function made at run time costs a microsecond more; errors carry their own.
      esbuild: { external: ["onnxruntime-node"], keepNames: false },
      // Each file's map would be an object in AWS, for a console that nobody is asked to have.
      sourcemap: false,
    },
    hook: {
      async postbuild(bundle) {
        await removeUnreached(bundle);
        await addStart(bundle);
        if (needs.onnx) await addOnnxRuntime(bundle, settings.architecture);
        if (needs.engine) await addTrainingEngine(bundle);
      },
    },
    transform: {
      role: (args) => {
        // SST would let the whole account assume the role.
        args.assumeRolePolicy = aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" });
        // AWS's managed logging policy covers every log group there is; ours names one.
        args.managedPolicyArns = $output(args.managedPolicyArns).apply((arns) =>
          (arns ?? []).filter((arn) => !arn.endsWith("AWSLambdaBasicExecutionRole")),
        );
      },
    },
  });
}
