import type { KeptPartSums, PartSums } from "../../core/model/ports.ts";

/** Sums over a map; nothing is forgotten. */
export function memoryPartSums(): PartSums {
  const kept = new Map<string, KeptPartSums>();
  const keyOf = (fleetId: string, sensorId: string) => `${fleetId} ${sensorId}`;
  return {
    async load(fleetId, sensorIds) {
      return new Map(
        sensorIds.flatMap((sensorId) => {
          const found = kept.get(keyOf(fleetId, sensorId));
          return found ? [[sensorId, found] as const] : [];
        }),
      );
    },
    async save(fleetId, sums) {
      for (const { sensorId, ...own } of sums) {
        const known = kept.get(keyOf(fleetId, sensorId));
        if (!known || known.through <= own.through) kept.set(keyOf(fleetId, sensorId), own);
      }
    },
    prune: async () => {},
  };
}
