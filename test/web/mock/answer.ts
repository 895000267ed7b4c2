import { SessionResponse } from "../../../functions/api/contract/access.ts";
import { AccuracyResponse } from "../../../functions/api/contract/accuracy.ts";
import { FleetPage } from "../../../functions/api/contract/fleet.ts";
import { FleetVersionList, ModelPage } from "../../../functions/api/contract/models.ts";
import { OpsResponse } from "../../../functions/api/contract/ops.ts";
import { ReadingsResponse } from "../../../functions/api/contract/readings.ts";
import { type Profile, Sensor } from "../../../functions/api/contract/sensors.ts";
import { fromSegment } from "../../../functions/api/parameters.ts";
import { answerAlerts } from "./alerts.ts";
import { answerAnnotations, withoutAnnotated } from "./annotations.ts";
import { auditOf } from "./audit.ts";
import { fleetPageOf } from "./fleet.ts";
import { iso } from "./fleet-data.ts";
import { forecastsAnswer } from "./forecasts.ts";
import { accuracyOf, fleetsOf } from "./model-data.ts";
import { modelAnswer, modelPageOf } from "./models.ts";
import { opsOf } from "./operations.ts";
import { readingsOf } from "./readings.ts";
import { changeProfile, sensorOf } from "./sensors.ts";
import { type Answer, fleetOf, type MockState, notFound, type Sent } from "./state.ts";

/** As on loopback, where nobody signs in. */
const openSession: SessionResponse = {
  mode: "open",
  actor: { kind: "anonymous", name: "anonymous", scopes: ["read", "ops", "admin"] },
  hasIssuer: false,
};

/** Answers one request as the API would; every 200 has passed the contract. */
export function answer(state: MockState, url: URL, { method, body }: Sent = { method: "GET", body: null }): Answer {
  const { pathname, searchParams: query } = url;
  if (state.failing !== null && pathname.includes(state.failing)) {
    const detail = "The predictor database did not answer within 5,000 ms.";
    return {
      status: 503,
      body: { type: "about:blank", title: "Database unavailable", status: 503, detail, code: "databaseUnavailable" },
    };
  }
  if (pathname === "/v1/session") return { status: 200, body: SessionResponse.parse(openSession) };
  if (pathname === "/v1/audit") return { status: 200, body: auditOf(state.now, Number(query.get("limit"))) };
  if (pathname === "/v1/ops") return { status: 200, body: OpsResponse.parse(opsOf(state)) };
  const alerts = answerAlerts(state, url, { method, body });
  if (alerts !== null) return alerts;
  const annotations = answerAnnotations(state, pathname, query, { method, body });
  if (annotations !== null) return annotations;
  if (pathname === "/v1/fleets") return { status: 200, body: FleetVersionList.parse(fleetsOf(state.now)) };
  const [, modelId, part] = /^\/v1\/models\/([^/:]+)([/:]\w+)?$/.exec(pathname) ?? [];
  if (modelId !== undefined) return modelAnswer(state, decodeURIComponent(modelId), part ?? "");
  if (pathname === "/v1/models") return { status: 200, body: ModelPage.parse(modelPageOf(state, query)) };
  if (pathname === "/v1/sensors") return { status: 200, body: FleetPage.parse(fleetPageOf(state, query)) };
  const [, id, rest] = /^\/v1\/sensors\/([^/]+)(?:\/(\w+))?$/.exec(pathname) ?? [];
  const sensorId = fromSegment(decodeURIComponent(id ?? ""));
  if (!fleetOf(state).includes(sensorId)) return notFound(`There is no sensor "${sensorId}".`);
  const from = Date.parse(query.get("from") ?? iso(state.now - 86_400_000));
  const to = Date.parse(query.get("to") ?? iso(state.now));
  if (method === "PATCH") return changeProfile(state, sensorId, body as Partial<Profile>);
  if (rest === undefined) return { status: 200, body: Sensor.parse(sensorOf(state, sensorId)) };
  if (rest === "readings") return { status: 200, body: ReadingsResponse.parse(readingsOf(state, sensorId, from, to)) };
  if (rest === "accuracy") {
    const groupBy = query.get("group_by");
    const group = groupBy === "day" || groupBy === "model" ? groupBy : "lead";
    const accuracy = withoutAnnotated(accuracyOf(state.now, sensorId, group), state.annotations);
    return { status: 200, body: AccuracyResponse.parse(accuracy) };
  }
  if (rest !== "forecasts") return notFound(`There is no ${pathname}.`);
  return forecastsAnswer(state, sensorId, query, from, to);
}
