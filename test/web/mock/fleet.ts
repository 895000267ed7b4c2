import type { FleetCrossing, FleetPage, FleetSensor } from "../../../functions/api/contract/fleet.ts";
import { coverageOf, iso, stepMs, stepSeconds } from "./fleet-data.ts";
import { crossingsOf, sensorOf, statusOf } from "./sensors.ts";
import { fleetOf, type MockState, newestAt } from "./state.ts";

/** Room 3 is the only one with limits, unless a test gives them to others. */
function likeliestOf(state: MockState, sensorId: string, newest: number): FleetCrossing | null {
  const target = "temperature";
  const [own] = crossingsOf(state, sensorId, target, newest);
  if (own !== undefined) return { target, ...own };
  if (sensorId !== "room3") return null;
  const crossesAt = iso(newest + 12 * stepMs);
  const text = `above 21.5 °C from about ${crossesAt.slice(11, 16)} UTC, 62 %`;
  return { target, side: "above", limit: 21.5, chance: 0.62, crossesAt, isBeyond: false, text };
}

const urgency = ["refused", "stale", "baseline", "waiting", "ok"] as const;

function fleetSensorOf(state: MockState, sensorId: string): FleetSensor {
  const sensor = sensorOf(state, sensorId);
  const { status, statusText, newestReadingAt, modelId } = sensor;
  const skills = sensor.targets.flatMap(({ skill }) => skill.persistence ?? []);
  const crossing = newestReadingAt === null ? null : likeliestOf(state, sensorId, Date.parse(newestReadingAt));
  return {
    ...(crossing === null ? {} : { chance: crossing.chance, crossing }),
    ...{ sensorId, status, statusText, newestReadingAt, modelId, coverage: coverageOf(sensorId, 1008).observed },
    ...(sensorId === "room2" ? { name: "Living room", group: "house/ground floor" } : {}),
    skill: skills.length === 0 ? null : Math.min(...skills),
    targets: sensor.targets.map(({ target, unit, lastValue, lastReadingAt, history, forecast, skill }) => ({
      ...{ target, unit, lastValue, lastReadingAt, history: history.value.slice(-36), skill: skill.persistence },
      forecast,
      coverage: coverageOf(sensorId + target, skill.n),
    })),
  };
}

/** As the API orders, filters and counts; what is equal goes by id. */
export function fleetPageOf(state: MockState, query: URLSearchParams): FleetPage {
  const words = (query.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const group = query.get("group");
  const lines = fleetOf(state).map((sensorId) => ({
    sensorId,
    ...statusOf(state, sensorId),
    group: sensorId === "room2" ? "house/ground floor" : null,
  }));
  const fitting = lines.filter(
    (line) =>
      words.every((word) => `${line.sensorId} ${line.statusText}`.toLowerCase().includes(word)) &&
      (group === null || line.group === group),
  );
  const statuses = query.get("status")?.split(",");
  const sort = query.get("sort") ?? "sensorId";
  const way = sort.startsWith("-") ? -1 : 1;
  const likely = (sensorId: string) => likeliestOf(state, sensorId, 0)?.chance ?? -1;
  const byId = new Intl.Collator("en", { numeric: true });
  const chosen = fitting
    .filter(({ status }) => statuses === undefined || statuses.includes(status))
    .sort(
      (a, b) =>
        (sort.endsWith("chance") ? way * (likely(b.sensorId) - likely(a.sensorId)) : 0) ||
        (sort.endsWith("attention") ? way * (urgency.indexOf(a.status) - urgency.indexOf(b.status)) : 0) ||
        (sort === "-sensorId" ? -1 : 1) * byId.compare(a.sensorId, b.sensorId),
    );
  const offset = Number(query.get("offset") ?? 0);
  const limit = Number(query.get("limit") ?? 50);
  const newest = newestAt(state, "room1");
  return {
    items: chosen.slice(offset, offset + limit).map(({ sensorId }) => fleetSensorOf(state, sensorId)),
    nextCursor: null,
    total: chosen.length,
    counts: Object.fromEntries(
      urgency.map((status) => [status, fitting.filter((line) => line.status === status).length]),
    ) as FleetPage["counts"],
    version: "1",
    grid: { from: iso(newest - 35 * stepMs), stepSeconds },
  };
}
