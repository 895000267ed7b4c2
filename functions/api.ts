import { handle, type LambdaContext, type LambdaEvent } from "hono/aws-lambda";
import { once } from "../core/once.ts";
import { messagesOf } from "../core/operations/schedule.ts";
import { createApi } from "./api/app.ts";
import type { ApiServices } from "./api/services.ts";
import { refuseUnlessFromEdge } from "./lambda/edge.ts";
import { openApiRuntime } from "./runtime.ts";

/** Answers function URL events. Forecasts on demand go by the queue: no model is loaded here. */
export function createApiHandler(services: Omit<ApiServices, "requestForecasts">) {
  const { queue } = services.ports;
  return handle(
    createApi({
      ...services,
      requestForecasts: ({ slot, sensorIds }) => queue.send("forecast", messagesOf(slot, [sensorIds])),
    }),
  );
}

const start = once(async () => {
  const { ports, views, settings, access, metrics, within } = await openApiRuntime();
  const answer = createApiHandler({ ports, views, settings: settings.api, access, metrics, within });
  return async (event: LambdaEvent, context?: LambdaContext) =>
    (await refuseUnlessFromEdge(event, access.bootstrapKey)) ?? answer(event, context);
});

export const handler = async (event: LambdaEvent, context?: LambdaContext) => (await start())(event, context);
