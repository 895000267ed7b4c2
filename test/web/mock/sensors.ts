import type { CrossingAhead, Profile, Sensor } from "../../../functions/api/contract/sensors.ts";
import { forecastFrom, grid, iso, mockTargets, seeded, stepMs, valueAt } from "./fleet-data.ts";
import { levelled } from "./forecasts.ts";
import { type Answer, type MockState, newestAt } from "./state.ts";

/** Why each room is in its state; the source's silence makes all of them stale. */
export function statusOf(state: MockState, sensorId: string): Pick<Sensor, "status" | "statusText"> {
  if (sensorId === "room4" || state.silentSeconds > 0) {
    return { status: "stale", statusText: "newest reading is old; forecast withheld until readings come" };
  }
  if (sensorId === "room5") return { status: "refused", statusText: "gap: 84 of 96 context steps; waits for readings" };
  if (sensorId === "room7") return { status: "baseline", statusText: "persistence: no trained model yet" };
  if (sensorId === "room8") return { status: "waiting", statusText: "31 of 40 readings, about 2 h left" };
  return { status: "ok", statusText: "forecast by its LSTM at 2016-05-04 14:20 UTC" };
}

const noProfile: Profile = { name: null, group: null, place: null, notes: null, limits: {} };

/** An id such as `__proto__` names nothing that was edited. */
function profileOf(state: MockState, sensorId: string): Profile {
  return Object.hasOwn(state.profiles, sensorId) ? state.profiles[sensorId]! : noProfile;
}

/** Takes over what a PATCH of a sensor changes. */
export function changeProfile(state: MockState, sensorId: string, change: Partial<Profile>): Answer {
  const before = profileOf(state, sensorId);
  const profile = { ...before, ...change, limits: { ...before.limits, ...change.limits } };
  state.profiles[sensorId] = profile;
  return { status: 200, body: profile };
}

/** Of an upper limit, a third likely; as the words of the API have it. */
export function crossingsOf(state: MockState, sensorId: string, target: string, newest: number): CrossingAhead[] {
  const high = profileOf(state, sensorId).limits[target]?.high ?? null;
  if (high === null) return [];
  const crossesAt = iso(newest + 6 * stepMs);
  const text = `above ${high} °C from about ${crossesAt.slice(11, 16)} UTC, 35 %`;
  return [{ side: "above", limit: high, chance: 0.35, crossesAt, isBeyond: false, text }];
}

/** A sensor with a day of history, what is forecast of it and its skill. */
export function sensorOf(state: MockState, sensorId: string): Sensor {
  const newest = newestAt(state, sensorId);
  const { status, statusText } = statusOf(state, sensorId);
  const isIssued = status === "ok" || status === "baseline";
  const at = Array.from({ length: 144 }, (_, i) => newest - (143 - i) * stepMs).filter(
    (one) => sensorId !== "room8" || one > newest - 31 * stepMs,
  );
  return {
    sensorId,
    status,
    statusText,
    newestReadingAt: iso(newest),
    lastOutcome: {
      slot: iso(grid(state.now)),
      status: isIssued ? (status === "ok" ? "issued" : "baseline") : "refused",
      reason: isIssued ? (status === "ok" ? null : "noModel") : status === "refused" ? "gap" : "staleSource",
      reasonText: statusText === "" ? null : statusText,
      have: status === "refused" ? 84 : null,
      need: status === "refused" ? 96 : null,
      held: sensorId === state.seldomSensor ? 1 : 0,
    },
    modelId: status === "baseline" || status === "waiting" ? null : `${sensorId}-2016w17`,
    profile: profileOf(state, sensorId),
    targets: mockTargets.map((target) => ({
      target: target.target,
      unit: target.unit,
      min: target.min,
      max: target.max,
      lastValue: valueAt(sensorId, target.target, newest),
      lastReadingAt: iso(newest),
      history: { at: at.map(iso), value: at.map((one) => valueAt(sensorId, target.target, one)) },
      forecast: isIssued ? levelled(state, forecastFrom(sensorId, target, newest)) : null,
      crossings: isIssued ? crossingsOf(state, sensorId, target.target, newest) : null,
      skill:
        status === "waiting"
          ? { persistence: null, seasonalNaive: null, n: 0 }
          : {
              persistence: Number((seeded(sensorId + target.target) * 0.5 - 0.06).toFixed(4)),
              seasonalNaive: 0.4,
              n: 1008,
            },
    })),
  };
}
