import type { SensorRow } from "../../core/forecast/sensor.ts";
import { staleBefore } from "./freshness.ts";
import { refuse } from "./problem.ts";
import type { ApiServices } from "./services.ts";

/** Refuses with 404 a sensor that no cycle has seen. */
export async function requireSensor({ views }: Pick<ApiServices, "views">, sensorId: string): Promise<void> {
  if (!(await views.knownSensors([sensorId])).has(sensorId)) throw unknownSensor(sensorId);
}

/** The sensor as it stands now; 404 for one that no cycle has seen. */
export async function loadSensor({ ports, views, settings }: ApiServices, sensorId: string): Promise<SensorRow> {
  const [row] = await views.sensors([sensorId], staleBefore(ports.clock.now(), settings));
  if (row === undefined) throw unknownSensor(sensorId);
  return row;
}

function unknownSensor(sensorId: string) {
  return refuse(404, { code: "notFound", detail: `sensor ${sensorId} is not known; /v1/sensors lists those that are` });
}
