import { ApiError, createClient } from "@iot-lstm-predictor/client";

// The newest forecast of a sensor: node forecast.ts SENSOR [TARGET]
// PREDICTOR_URL says where the API is, PREDICTOR_KEY is a key of it (scope read), or empty.
const { PREDICTOR_URL: url = "http://127.0.0.1:3000", PREDICTOR_KEY: key } = process.env;
const [sensorId = "room1", target = "temperature"] = process.argv.slice(2);
const client = createClient(key ? { url, key } : { url });

try {
  const ids: string[] = [];
  for await (const sensor of client.each("/v1/sensors", { query: { limit: 200 } })) ids.push(sensor.sensorId);
  console.log(`sensors: ${ids.join(", ")}`);

  const path = { id: sensorId };
  const [forecast] = (await client.get("/v1/sensors/{id}/forecasts", { path, query: { target } })).items;
  // With `lead` in the query a series would come instead; the field tells them apart.
  if (forecast !== undefined && "coverage" in forecast) {
    console.log(`${sensorId}, ${target}, by ${forecast.method} from ${forecast.origin}`);
    for (const [i, at] of forecast.targetAt.entries()) {
      console.log(at, forecast.q10[i], forecast.q50[i], forecast.q90[i], forecast.unit);
    }
  }
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  console.error(error.message, error.problem?.requestId ?? "");
  process.exitCode = 1;
}
