import type { SQSEvent } from "aws-lambda";
import type { Forecast } from "../core/forecast/forecast.ts";
import type { ForecastSettings } from "../core/forecast/settings.ts";
import { ForecastMessage } from "../core/messages.ts";
import { once } from "../core/once.ts";
import { alertShard } from "../core/operations/alert.ts";
import type { AlertPorts, AlertSettings, Decided } from "../core/operations/alert-ports.ts";
import { type ForecastPorts, forecast } from "../core/operations/forecast.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { openForecastRuntime } from "./runtime.ts";

/** What is done with a shard once it is decided: rules look at it, a broker gets what is new. */
export type Afterwards = {
  alerting: AlertPorts;
  settings: AlertSettings;
  publish: ((forecasts: Forecast[]) => Promise<void>) | null;
};

export function createForecastHandler(
  ports: ForecastPorts,
  settings: ForecastSettings,
  afterwards: Afterwards | null = null,
) {
  const follow = async (decided: Decided) => {
    if (afterwards === null) return;
    await alertShard(afterwards.alerting, afterwards.settings, decided);
    if (decided.forecasts.length > 0) await afterwards.publish?.(decided.forecasts);
  };
  return (event: SQSEvent) =>
    handleBatch(event, ForecastMessage, ports.log, async (message) => {
      const { sensorIds, slot } = message;
      const issued = await forecast(ports, settings, message).catch(async (error: unknown) => {
        // One sensor's fault costs the others neither their forecast nor their alert.
        await follow({ slot, sensorIds, outcomes: [], forecasts: [] });
        throw error;
      });
      await follow({ ...issued, sensorIds });
    });
}

const start = once(async () => {
  const { ports, settings, alerting, publish, deadLetters } = await openForecastRuntime();
  const afterwards = { alerting, publish, settings: settings.alert };
  return givingUp("forecast", createForecastHandler(ports, settings.forecast, afterwards), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
