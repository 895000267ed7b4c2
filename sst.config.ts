/// <reference path="./.sst/platform/config.d.ts" />

/** What runs on AWS, from the store to the alarms. What a person may change is in sst.settings.ts. */
export default $config({
  async app(input) {
    const { settingsFor } = await import("./sst.settings.ts");
    const { isProtected, region } = settingsFor(input.stage);
    return {
      name: "iot-lstm-predictor",
      home: "aws",
      removal: isProtected ? "retain" : "remove",
      protect: isProtected,
      providers: { aws: { version: "7.20.0", ...(region ? { region: region as "eu-central-1" } : {}) } },
    };
  },

  // SST allows no import at the top of this file.
  async run() {
    const { settingsFor } = await import("./sst.settings.ts");
    const { createApiKey } = await import("./infra/secrets.ts");
    const { createStore } = await import("./infra/store.ts");
    const { createQueues } = await import("./infra/queues.ts");
    const { createFunctions, subscribeFunctions } = await import("./infra/functions.ts");
    const { createSchedules } = await import("./infra/schedules.ts");
    const { createWeb } = await import("./infra/web.ts");
    const { createEdgeLog } = await import("./infra/requests.ts");
    const { createAlarms } = await import("./infra/alarms.ts");
    const { createOperationsPage } = await import("./infra/operations.ts");

    const settings = settingsFor($app.stage);
    const apiKey = createApiKey();
    const store = createStore(settings);
    const queues = createQueues(settings);
    const functions = createFunctions(settings, store, queues, apiKey);
    subscribeFunctions(settings, queues, functions);
    createSchedules(settings, queues, functions);
    const router = createWeb(settings, functions, apiKey);
    createEdgeLog(settings, router);
    const alarms = createAlarms(settings, queues, functions);
    createOperationsPage(queues, functions);

    return {
      dashboard: router.url,
      api: $interpolate`${router.url}/v1`,
      store: store.bucket.name,
      alarms: alarms.arn,
      forecastQueue: queues.forecast.queue.url,
      trainQueue: queues.train.queue.url,
      scheduleFunction: functions.schedule.name,
    };
  },
});
