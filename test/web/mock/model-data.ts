import type { AccuracyResponse } from "../../../functions/api/contract/accuracy.ts";
import type { FleetVersionList, Model } from "../../../functions/api/contract/models.ts";
import { coverageOf, grid, horizon, iso, mockTargets, seeded, sensorIds, sha, stepSeconds } from "./fleet-data.ts";

/** Made-up scores of the week before `now`; room8 has none yet. */
export function accuracyOf(now: number, sensorId: string, groupBy: "lead" | "day" | "model"): AccuracyResponse {
  const group = (key: string, lead: number | null, mae: number, n: number) => {
    const persistenceMae = mae * (1.12 + 0.4 * seeded(sensorId + key));
    const seasonalNaiveMae = mae * (1.5 + seeded(key));
    return {
      key,
      lead,
      n,
      mae,
      rmse: mae * 1.4,
      pinball: mae * 0.36,
      coverage: coverageOf(sensorId + key, n),
      persistenceMae,
      seasonalNaiveMae,
      skillPersistence: 1 - mae / persistenceMae,
      skillSeasonalNaive: 1 - mae / seasonalNaiveMae,
    };
  };
  const days = Array.from({ length: 7 }, (_, i) => iso(now - (6 - i) * 86_400_000).slice(0, 10));
  const has = sensorId !== "room8";
  return {
    sensorId,
    from: iso(now - 7 * 86_400_000),
    to: iso(now),
    groupBy,
    leftOut: [],
    targets: mockTargets.map(({ target, unit }) => {
      const scale = target === "temperature" ? 0.06 : 0.35;
      const groups =
        groupBy === "lead"
          ? Array.from({ length: horizon }, (_, i) => group(String(i + 1), i + 1, scale * (i + 1) ** 0.6, 1008))
          : groupBy === "day"
            ? days.map((day) => group(day, null, scale * (2.4 + 1.6 * seeded(sensorId + day)), 3456))
            : [group(`${sensorId}-2016w17`, null, scale * 3, 24_192)];
      return {
        target,
        unit,
        withLeftOut: null,
        overall: has ? group("all", null, scale * 3, 24_192) : null,
        groups: has ? groups : [],
      };
    }),
  };
}

/** A champion, a challenger and a retired model for each room but two, and `more` of made-up sensors. */
export function modelsOf(now: number, sensorId: string | null, more = 0) {
  const day = grid(now) - 3 * 86_400_000;
  const model = (
    id: string,
    week: number,
    status: "champion" | "retired" | "challenger",
    reason: string,
    at: number,
  ) => ({
    modelId: `${id}-2016w${week}`,
    sensorId: id,
    status,
    statusReason: reason,
    modelSha256: sha(`${id}${week === 17 ? "" : week}`),
    fleetId: "fleet-20160430",
    createdAt: iso(at),
    promotedAt: status === "challenger" ? null : iso(at + 3_600_000),
    retiredAt: status === "retired" ? iso(day) : null,
    targets: mockTargets.map(({ target }) => target),
    stepSeconds,
    contextLength: 96,
    horizon,
    leads: Array.from({ length: horizon }, (_, i) => i + 1),
    training: {
      from: "2016-01-11T16:00:00.000Z",
      to: iso(at),
      windows: 15_800,
      seed: 7,
      engine: "wasm-simd 1",
      cpuSeconds: 21.4,
      dataSha256: sha(`${id}data`),
      leftOut: [],
      shortHistory: null,
    },
    metrics: Object.fromEntries(
      mockTargets.map(({ target }) => {
        const mae = (target === "temperature" ? 0.18 : 0.9) * (0.8 + 0.4 * seeded(id + target));
        const metrics = {
          mae,
          pinball: mae * 0.36,
          coverage: 0.79,
          ridgeMae: mae * 1.05,
          ridgePinball: mae * 0.38,
          persistenceMae: mae * 1.5,
        };
        return [target, metrics];
      }),
    ),
    codeVersion: "0.1.0-mock",
  });
  const ids = sensorId === null ? sensorIds : [sensorId];
  const made = Array.from({ length: sensorId === null ? more : 0 }, (_, i) =>
    model(`device-${i + 1}`, 17, "retired", "replaced", day - 30 * 86_400_000),
  );
  const ofRooms = ids
    .filter((id) => id !== "room7" && id !== "room8")
    .flatMap((id) => [
      model(id, 18, "challenger", "scored beside the champion: 96 of 400 pairs", day + 2 * 86_400_000),
      model(id, 17, "champion", "won 412 pairs, p = 0.003", day),
      model(id, 14, "retired", `replaced by ${id}-2016w17`, day - 21 * 86_400_000),
    ]);
  return [...ofRooms, ...made];
}

/** Two versions of the fleet's network: one serves, a newer one is on trial. */
export function fleetsOf(now: number): FleetVersionList {
  const version = (fleetId: string, daysAgo: number) => ({
    ...{ fleetId, group: "", digest: sha(fleetId), createdAt: iso(now - daysAgo * 86_400_000), retiredAt: null },
  });
  return {
    items: [
      {
        ...version("fleet-20160507", 1),
        ...{ status: "challenger", statusReason: "trained: scheduled", promotedAt: null, champions: 0, challengers: 8 },
      },
      {
        ...version("fleet-20160430", 8),
        ...{ status: "champion", statusReason: "first network of the fleet", champions: 9, challengers: 0 },
        promotedAt: iso(now - 8 * 86_400_000),
      },
    ],
  };
}

/** A challenger that is a tenth better after four days. */
export function trialOf({ modelId, sensorId }: Pick<Model, "modelId" | "sensorId">) {
  return {
    ...{ modelId, againstId: `${sensorId}-2016w17`, decision: "keep" as const },
    reason: "undecided, p = 0.0310, 420 moments, loss 90.1 % of the champion's",
    ...{ moments: 420, minimumMoments: 288, maximumMoments: 1440, lossRatio: 0.901 },
    coverage: { champion: 0.78, challenger: 0.8 },
    days: [1, 2, 3, 4].map((day) => ({
      ...{ day: `2016-05-0${day}`, moments: 105, champion: 1, persistence: 1.7 },
      challenger: 0.9 + 0.01 * (day % 2),
    })),
  };
}
