import type { SQSEvent } from "aws-lambda";
import type { ForecastSettings } from "../core/forecast/settings.ts";
import { ForecastMessage } from "../core/messages.ts";
import { type ForecastPorts, forecast } from "../core/operations/forecast.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { once } from "./lambda/once.ts";
import { openForecastRuntime } from "./runtime.ts";

export function createForecastHandler(ports: ForecastPorts, settings: ForecastSettings) {
  return (event: SQSEvent) =>
    handleBatch(event, ForecastMessage, ports.log, (message) => forecast(ports, settings, message));
}

const start = once(async () => {
  const { ports, settings, deadLetters } = await openForecastRuntime();
  return givingUp("forecast", createForecastHandler(ports, settings.forecast), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
