import { levelsOf } from "../../core/data/counter.ts";
import { AppError } from "../../core/errors.ts";
import type { Forecast } from "../../core/forecast/forecast.ts";
import type { CounterLevel } from "./contract/forecasts.ts";
import type { Sensor, SensorTarget } from "./contract/sensors.ts";
import type { ApiServices } from "./services.ts";

/**
 * A counter's forecast as levels, from where the follower has it at the origin; nothing for others, or while it is
 * away.
 */
export async function loadLevel(
  { ports, settings }: ApiServices,
  forecast: Pick<Forecast, "sensorId" | "target" | "origin" | "stepSeconds" | "leads" | "q10" | "q50" | "q90">,
): Promise<{ level?: CounterLevel }> {
  const unit = settings.targets.find(({ name }) => name === forecast.target)?.counts;
  if (unit === undefined) return {};
  try {
    const start = await ports.follower.readCounter(forecast.sensorId, forecast.target, forecast.origin);
    if (start === null) return {};
    const levels = levelsOf(start.value, forecast, forecast.stepSeconds);
    return { level: { unit, readAt: start.at.toISOString(), from: start.value, ...levels } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ports.log.warn("api.sourceUnreadable", { code: error.code, error });
    return {};
  }
}

/** The sensor with the levels of its counters' forecasts. */
export async function withLevels(services: ApiServices, sensor: Sensor): Promise<Sensor> {
  const levelled = async ({ forecast, ...target }: SensorTarget): Promise<SensorTarget> => ({
    ...target,
    forecast: forecast && {
      ...forecast,
      ...(await loadLevel(services, { ...forecast, origin: new Date(forecast.origin) })),
    },
  });
  return { ...sensor, targets: await Promise.all(sensor.targets.map(levelled)) };
}
