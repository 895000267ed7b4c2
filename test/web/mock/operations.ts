import type { OpsResponse } from "../../../functions/api/contract/ops.ts";
import { grid, horizon, iso, stepMs, stepSeconds } from "./fleet-data.ts";
import { fleetOf, type MockState } from "./state.ts";

/** Five whole cycles, and the rest as the state has it. */
export function opsOf(state: MockState): OpsResponse {
  const slot = grid(state.now);
  const sensors = fleetOf(state).length;
  return {
    now: iso(state.now),
    clockSpeed: state.clockSpeed,
    isDemo: true,
    stepSeconds,
    horizon,
    leads: Array.from({ length: horizon }, (_, i) => i + 1),
    source: {
      newestReadingAt: iso(grid(state.now - state.silentSeconds * 1000)),
      ageSeconds: state.silentSeconds + (state.now - slot) / 1000,
      readingsAhead: state.readingsAhead,
      isStandby: true,
      isReceiving: state.sourceError === null,
      lagBytes: 18_432,
      error: state.sourceError,
    },
    cycles: Array.from({ length: 5 }, (_, i) => ({
      slot: iso(slot - i * stepMs),
      openedAt: iso(slot - i * stepMs + 1000),
      fannedOutAt: iso(slot - i * stepMs + 1200),
      sensors,
      shards: 1,
      issued: Math.max(0, sensors - 4),
      baseline: Math.min(sensors, 1),
      refused: sensors > 4 ? 3 : 0,
      expired: 0,
    })),
    queue: state.hasQueues
      ? [
          { name: "forecast", waiting: 0, active: 1, failed: 0 },
          { name: "score", waiting: 2, active: 0, failed: 0 },
        ]
      : [],
    deadLetters: {
      count: state.deadLetters,
      items: Array.from({ length: Math.min(state.deadLetters, 20) }, (_, i) => ({
        id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
        queue: "forecast",
        reason: i % 2 === 0 ? "predictorUnavailable: predictor database: <b>away</b>" : null,
        sentAt: iso(state.now - (i + 1) * 3_600_000),
        deadAt: i % 2 === 0 ? iso(state.now - i * 3_600_000) : null,
        body: JSON.stringify({ slot: iso(slot), sensorIds: ["<i>hall</i>"] }),
      })),
      error: null,
    },
    database: { bytes: 84_300_000, tables: [{ name: "forecasts", bytes: 61_000_000, rows: 91_240 }] },
    storage: {
      bytesPerDay: 2_100_000,
      freedPerDay: 0,
      limitBytes: 500_000_000,
      daysToLimit: 197.9,
      tables: [
        {
          ...{ table: "issued", keptDays: 400, days: 31, bytes: 61_000_000, oldestDay: "2026-02-01" },
          ...{ goesAt: "2027-03-09T00:00:00.000Z", goesBytes: 1_900_000 },
        },
      ],
      backup: { finishedAt: iso(slot - 9 * 3_600_000), ageSeconds: 9 * 3_600, bytes: 12_000_000 },
      archived: { days: 28, bytes: 9_000_000 },
    },
    sensors,
    codeVersion: "0.1.0-mock",
  };
}
