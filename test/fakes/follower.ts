import type { Readings } from "../../core/data/reading.ts";
import type { Follower } from "../../core/ports.ts";

/** A follower over a map of readings whose clock says `now`; `queries` counts the windows read. */
export function memoryFollower(
  bySensor: Map<string, Readings>,
  now: () => number = () => Number.POSITIVE_INFINITY,
): Follower & { queries: number; sensors: Map<string, Readings> } {
  const timesOf = (sensorId: string) => [...(bySensor.get(sensorId)?.at ?? [])];
  const newestOf = (sensorId: string) => {
    const known = timesOf(sensorId).filter((at) => at <= now());
    return known.length === 0 ? null : new Date(Math.max(...known));
  };
  return {
    queries: 0,
    sensors: bySensor,
    async listSensors(since) {
      return [...bySensor.keys()].filter((id) => Number(newestOf(id) ?? Number.NaN) >= since.getTime()).sort();
    },
    async readWindows(sensorIds, after, upTo) {
      this.queries++;
      const targets = new Set([...bySensor.values()].flatMap(({ values }) => Object.keys(values)));
      const none: Readings = {
        at: new Float64Array(),
        values: Object.fromEntries([...targets].map((name) => [name, new Float64Array()])),
      };
      return new Map(sensorIds.map((sensorId) => [sensorId, windowOf(bySensor.get(sensorId) ?? none, after, upTo)]));
    },
    async newestReadings(sensorIds) {
      return new Map(sensorIds.map((sensorId) => [sensorId, newestOf(sensorId)]));
    },
    async readCounter() {
      return null;
    },
    hasSensorTable: false,
    async listSensorProfiles() {
      return [];
    },
    async answers() {},
    async state() {
      const newest = [...bySensor.keys()].flatMap((id) => newestOf(id)?.getTime() ?? []);
      const ahead = [...bySensor.keys()].flatMap((id) => timesOf(id).filter((at) => at > now()));
      const newestReadingAt = newest.length === 0 ? null : new Date(Math.max(...newest));
      return { isStandby: true, isReceiving: true, lagBytes: 0, newestReadingAt, readingsAhead: ahead.length };
    },
  };
}

function windowOf(readings: Readings, after: Date, upTo: Date): Readings {
  const isInside = (_: unknown, i: number) => readings.at[i]! > after.getTime() && readings.at[i]! <= upTo.getTime();
  const values = Object.entries(readings.values).map(([name, column]) => [name, column.filter(isInside)]);
  return { at: readings.at.filter(isInside), values: Object.fromEntries(values) };
}
