import { setImmediate as pause } from "node:timers/promises";
import pLimit from "p-limit";
import {
  type BacktestAnswer,
  type BacktestRequest,
  backtestForecasts,
  type RehearsalBacktestPorts,
} from "../../core/evaluation/rehearsal.ts";
import type { ForecastSettings } from "../../core/forecast/settings.ts";

/** A few, so that another chance or limit costs no second backtest. */
const mostKept = 4;

/** Backtests for rehearsals: one at a time, between cycles, and the newest kept; asked again it is the same one. */
export function openBacktests(ports: Omit<RehearsalBacktestPorts, "pause">, settings: ForecastSettings) {
  const kept = new Map<string, Promise<BacktestAnswer>>();
  const oneAtATime = pLimit(1);
  return async (request: BacktestRequest): Promise<BacktestAnswer> => {
    const champions = await ports.registry.champions(request.sensorIds);
    const key = JSON.stringify([request, [...champions.values()].map(({ modelSha256 }) => modelSha256)]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = oneAtATime(() => backtestForecasts({ ...ports, pause: () => pause() }, settings, request));
    kept.set(key, made);
    made.catch(() => kept.delete(key));
    for (const oldest of kept.keys()) if (kept.size > mostKept) kept.delete(oldest);
    return made;
  };
}
