/// <reference path="./.sst/platform/config.d.ts" />

/** Everything that runs on AWS, from the secrets to the alarms. What a person may change is in sst.settings.ts. */
export default $config({
  async app(input) {
    const { settingsFor } = await import("./sst.settings.ts");
    const { isProtected } = settingsFor(input.stage);
    return {
      name: "iot-lstm-predictor",
      home: "aws",
      removal: isProtected ? "retain" : "remove",
      protect: isProtected,
      providers: { aws: { version: "7.20.0" } },
    };
  },

  async run() {
    const { everyStep, settingsFor } = await import("./sst.settings.ts");
    type FunctionName = import("./sst.settings.ts").FunctionName;
    type QueueName = import("./sst.settings.ts").QueueName;
    type ScheduleTask = import("./sst.settings.ts").ScheduleTask;
    type Permission = { actions: string[]; resources: $util.Input<$util.Input<string>[]> };
    const settings = settingsFor($app.stage);
    const title = (name: string) => name[0]!.toUpperCase() + name.slice(1);

    // Secrets: `npx sst secret set Name`. They reach a function encrypted in its bundle, never by its environment.
    const followerUrl = new sst.Secret("FollowerDatabaseUrl");
    const predictorUrl = new sst.Secret("PredictorDatabaseUrl");
    const apiKey = new sst.Secret("ApiKey");

    // Models and backups: private, versioned.
    const bucket = new sst.aws.Bucket("Store", {
      cors: false,
      versioning: true,
      lifecycle: [{ id: "backups", prefix: "backups/", expiresIn: `${settings.backupRetentionDays} days` }],
      transform: {
        bucket: (args, options) => {
          args.forceDestroy = !settings.isProtected;
          options.protect = settings.isProtected;
        },
        lifecycle: (args) => {
          const replaced = { noncurrentDays: settings.backupRetentionDays };
          const rule = { id: "replaced", status: "Enabled", noncurrentVersionExpiration: replaced };
          args.rules = $output(args.rules).apply((rules) => [...(rules ?? []), rule]);
        },
      },
    });
    const models = $interpolate`${bucket.arn}/models/*`;

    // Queues. A message that failed often enough waits two weeks among the dead letters.
    const deadLetters = (name: string) =>
      new sst.aws.Queue(`${name}DeadLetters`, { transform: { queue: { messageRetentionSeconds: 14 * 86_400 } } });
    const makeQueue = (name: QueueName) => {
      const dead = deadLetters(title(name));
      const queue = new sst.aws.Queue(`${title(name)}Queue`, {
        visibilityTimeout: `${6 * settings.functions[name].timeoutSeconds} seconds`,
        dlq: { queue: dead.arn, retry: settings.queues[name].attempts },
      });
      return { queue, dead };
    };
    const queues = { forecast: makeQueue("forecast"), score: makeQueue("score"), train: makeQueue("train") };
    const ticksDead = deadLetters("Tick");

    // Functions: one role each, with the actions and resources named here and nothing else.
    const makeFunction = (
      name: FunctionName,
      needs: { link: sst.Secret[]; permissions: Permission[]; onnx?: boolean; engine?: boolean; url?: boolean },
    ) => {
      const { memoryMb, timeoutSeconds, reservedConcurrency } = settings.functions[name];
      const logs = new aws.cloudwatch.LogGroup(`${title(name)}Logs`, {
        name: `/${$app.name}/${$app.stage}/${name}`,
        retentionInDays: settings.logRetentionDays,
      });
      return new sst.aws.Function(title(name), {
        handler: `functions/${name}.handler`,
        runtime: "nodejs24.x",
        architecture: settings.architecture,
        memory: `${memoryMb} MB`,
        timeout: `${timeoutSeconds} seconds`,
        concurrency: reservedConcurrency === null ? {} : { reserved: reservedConcurrency },
        url: needs.url ? { cors: false } : false,
        link: needs.link,
        environment: {
          DATABASE_DRIVER: "neon",
          MODEL_STORE: $interpolate`s3://${bucket.name}/models`,
          STEP_SECONDS: `${settings.stepSeconds}`,
          HORIZON: `${settings.horizon}`,
          SHARD_SIZE: `${settings.shardSize}`,
          SOURCE_CONFIG: settings.source ? JSON.stringify(settings.source) : "",
          FORECAST_QUEUE_URL: queues.forecast.queue.url,
          SCORE_QUEUE_URL: queues.score.queue.url,
          TRAIN_QUEUE_URL: queues.train.queue.url,
          SETTLE_SECONDS: `${60 * settings.settleMinutes}`,
          CODE_VERSION: process.env.GITHUB_SHA?.slice(0, 12) ?? "",
          STAGE: $app.stage,
          LOG_FORMAT: "json",
        },
        permissions: [
          ...needs.permissions,
          { actions: ["logs:CreateLogStream", "logs:PutLogEvents"], resources: [$interpolate`${logs.arn}:*`] },
        ],
        logging: { logGroup: logs.name },
        ...(settings.vpc ? { vpc: settings.vpc } : {}),
        nodejs: { minify: true, esbuild: { external: ["onnxruntime-node"] } },
        hook: {
          async postbuild(bundle) {
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
    };
    const databases = [followerUrl, predictorUrl];
    const sends = (...names: QueueName[]) => ({
      actions: ["sqs:SendMessage"],
      resources: names.map((name) => queues[name].queue.arn),
    });
    const receives = (name: QueueName) => ({
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [queues[name].queue.arn],
    });
    // ListBucket lets S3 answer 404 instead of 403 for a model that is not there.
    const readsModels = [
      { actions: ["s3:GetObject"], resources: [models] },
      { actions: ["s3:ListBucket"], resources: [bucket.arn] },
    ];
    const writesModels = [{ actions: ["s3:PutObject"], resources: [models] }];

    const functions = {
      schedule: makeFunction("schedule", { link: databases, permissions: [sends("forecast", "score", "train")] }),
      forecast: makeFunction("forecast", {
        link: databases,
        permissions: [receives("forecast"), ...readsModels],
        onnx: true,
      }),
      score: makeFunction("score", { link: databases, permissions: [receives("score")] }),
      train: makeFunction("train", {
        link: databases,
        permissions: [receives("train"), ...readsModels, ...writesModels],
        onnx: true,
        engine: true,
      }),
      promote: makeFunction("promote", { link: [predictorUrl], permissions: [] }),
      watch: makeFunction("watch", { link: databases, permissions: [] }),
      api: makeFunction("api", {
        link: [...databases, apiKey],
        permissions: [sends("forecast", "train")],
        url: true,
      }),
    };
    for (const name of ["forecast", "score", "train"] as const) {
      const { batchSize, maximumConcurrency } = settings.queues[name];
      queues[name].queue.subscribe(functions[name].arn, {
        batch: { size: batchSize, partialResponses: true },
        transform: { eventSourceMapping: { scalingConfig: { maximumConcurrency } } },
      });
    }

    // Schedules. The time comes with the event: a late or repeated tick meets the same slot.
    const tick = (
      name: string,
      schedule: `cron(${string})` | `rate(${string})`,
      fn: FunctionName,
      task?: ScheduleTask,
    ) =>
      new sst.aws.CronV2(`${name}Tick`, {
        schedule,
        timezone: "UTC",
        function: functions[fn].arn,
        event: { time: "<aws.scheduler.scheduled-time>", ...(task ? { task } : {}) },
        retries: 5,
        dlq: ticksDead.arn,
      });
    const cycle = everyStep(settings.stepSeconds, settings.settleMinutes);
    tick("Forecast", cycle, "schedule", "forecast");
    tick("Score", cycle, "schedule", "score");
    tick("Train", settings.schedules.train, "schedule", "train");
    tick("Drift", settings.schedules.drift, "schedule", "drift");
    tick("Promote", settings.schedules.promote, "promote");
    tick("Watch", settings.schedules.watch, "watch");

    // Web: one address for the dashboard (from S3) and the API (the function's URL).
    const router = new sst.aws.Router("Web", settings.domain ? { domain: settings.domain } : {});
    for (const path of ["/v1", "/healthz", "/readyz", "/openapi.json", "/reference"])
      router.route(path, functions.api.url);
    new sst.aws.StaticSite("Dashboard", {
      path: ".",
      build: { command: "npm run build:web", output: "web/dist" },
      router: { instance: router },
      transform: { assets: { cors: false } },
    });

    // Alarms, to one topic.
    const topic = new sst.aws.SnsTopic("Alarms");
    if (settings.alarmEmail) {
      new aws.sns.TopicSubscription("AlarmEmail", {
        topic: topic.arn,
        protocol: "email",
        endpoint: settings.alarmEmail,
      });
    }
    const own = { namespace: "IotLstmPredictor", dimensions: { Stage: $app.stage } };
    type Alarm = Omit<aws.cloudwatch.MetricAlarmArgs, "comparisonOperator" | "evaluationPeriods" | "alarmActions">;
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
    const queueMetric = (metricName: string, queue: sst.aws.Queue) => ({
      namespace: "AWS/SQS",
      metricName,
      dimensions: { QueueName: queue.nodes.queue.name },
    });
    const functionMetric = (metricName: string, fn: sst.aws.Function) => ({
      namespace: "AWS/Lambda",
      metricName,
      statistic: "Sum",
      dimensions: { FunctionName: fn.name },
    });
    const patienceSeconds = {
      forecast: 2 * settings.stepSeconds,
      score: 6 * settings.stepSeconds,
      train: 6 * 3_600,
    };
    const dead = {
      Forecast: queues.forecast.dead,
      Score: queues.score.dead,
      Train: queues.train.dead,
      Tick: ticksDead,
    };
    for (const [name, queue] of Object.entries(dead)) {
      alarm(`${name}DeadLetters`, { ...queueMetric("ApproximateNumberOfMessagesVisible", queue), threshold: 0 });
    }
    for (const name of ["forecast", "score", "train"] as const) {
      alarm(`${title(name)}OldestMessage`, {
        ...queueMetric("ApproximateAgeOfOldestMessage", queues[name].queue),
        threshold: patienceSeconds[name],
      });
    }
    for (const [name, fn] of Object.entries(functions)) {
      alarm(`${title(name)}Errors`, { ...functionMetric("Errors", fn), threshold: 0 });
    }
    alarm("ApiServerErrors", { ...functionMetric("Url5xxCount", functions.api), threshold: 0 });
    // No metric at all means that nobody watches: that is an alarm too.
    alarm("MissedCycles", {
      ...own,
      metricName: "MissedCycles",
      threshold: 0,
      period: 900,
      treatMissingData: "breaching",
    });
    alarm("SourceAge", {
      ...own,
      metricName: "SourceAgeSeconds",
      threshold: 6 * settings.stepSeconds,
      period: 900,
      treatMissingData: "breaching",
    });

    // The operator's page in CloudWatch.
    const chart = (name: string, metrics: unknown[][], stat: string) => ({
      type: "metric",
      width: 12,
      height: 6,
      properties: { title: name, metrics, stat, period: 300, region: aws.getRegionOutput().region },
    });
    const ours = (...metrics: string[]) => metrics.map((metric) => [own.namespace, metric, "Stage", $app.stage]);
    const perFunction = (metric: string) =>
      Object.values(functions).map((fn) => ["AWS/Lambda", metric, "FunctionName", fn.name]);
    const perQueue = (metric: string) =>
      [...Object.values(queues).map(({ queue }) => queue), ...Object.values(dead)].map((queue) => [
        "AWS/SQS",
        metric,
        "QueueName",
        queue.nodes.queue.name,
      ]);
    new aws.cloudwatch.Dashboard("Operations", {
      dashboardName: `${$app.name}-${$app.stage}`,
      dashboardBody: $jsonStringify({
        widgets: [
          chart("Missed cycles", ours("MissedCycles"), "Maximum"),
          chart("Source: age and lag", ours("SourceAgeSeconds", "ReplicationLagBytes"), "Maximum"),
          chart("Predictor database", ours("DatabaseBytes"), "Maximum"),
          chart("Messages waiting", perQueue("ApproximateNumberOfMessagesVisible"), "Maximum"),
          chart("Age of the oldest message", perQueue("ApproximateAgeOfOldestMessage"), "Maximum"),
          chart("Duration p95", perFunction("Duration"), "p95"),
          chart("Errors", perFunction("Errors"), "Sum"),
          chart("Throttles", perFunction("Throttles"), "Sum"),
          chart("Concurrent executions", perFunction("ConcurrentExecutions"), "Maximum"),
        ],
      }),
    });

    return {
      dashboard: router.url,
      api: $interpolate`${router.url}/v1`,
      store: bucket.name,
      alarms: topic.arn,
      forecastQueue: queues.forecast.queue.url,
      trainQueue: queues.train.queue.url,
      scheduleFunction: functions.schedule.name,
    };
  },
});

/** Puts onnxruntime-node as it is installed into a bundle, with one platform's binaries (its own install adds CUDA's). */
async function addOnnxRuntime(bundle: string, architecture: "x86_64" | "arm64") {
  const { cp } = await import("node:fs/promises");
  const platform = architecture === "arm64" ? "arm64" : "x64";
  const paths = [
    "onnxruntime-node/package.json",
    "onnxruntime-node/dist",
    `onnxruntime-node/bin/napi-v6/linux/${platform}`,
    "onnxruntime-common/package.json",
    "onnxruntime-common/dist/cjs",
  ].map((path) => `node_modules/${path}`);
  const filter = (path: string) => !/\.(map|d\.ts)$/.test(path);
  for (const path of paths) await cp(path, `${bundle}/${path}`, { recursive: true, filter });
}

/** Puts the training kernels beside a bundle, where the engine looks for them; it takes the build that the machine runs. */
async function addTrainingEngine(bundle: string) {
  const { cp } = await import("node:fs/promises");
  for (const file of ["kernels.relaxed.wasm", "kernels.simd128.wasm"])
    await cp(`models/engine/${file}`, `${bundle}/${file}`);
}
