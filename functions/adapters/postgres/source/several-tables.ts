import type { Readings } from "../../../../core/data/reading.ts";
import type { SourceProfile } from "../../../../core/forecast/profile.ts";
import type { Follower } from "../../../../core/ports.ts";
import { alignSeries } from "./columnar.ts";

/** Several tables of one database as one source: a sensor is in it when any table has it, with all their readings. */
export function severalTables(tables: Follower[], targets: string[]): Follower {
  const [first] = tables;
  if (first !== undefined && tables.length === 1) return first;
  return {
    async listSensors(since) {
      const lists = await inTurn(tables, (table) => table.listSensors(since));
      return [...new Set(lists.flat())].sort();
    },

    async readWindows(sensorIds, after, upTo) {
      const windows = await inTurn(tables, (table) => table.readWindows(sensorIds, after, upTo));
      const found = (id: string) => windows.flatMap((window) => window.get(id) ?? []);
      return new Map(sensorIds.map((id) => [id, join(found(id), targets)]));
    },

    async arrivedLate(mark, before, upTo) {
      const marks: (string | null)[] = mark === null ? [] : JSON.parse(mark);
      const each = await inTurn([...tables.entries()], ([k, table]) =>
        table.arrivedLate!(marks[k] ?? null, before, upTo),
      );
      const isTold = each.every((one) => one.mark !== null);
      const found = each.map((one) => one.sensorIds);
      return {
        mark: isTold ? JSON.stringify(each.map((one) => one.mark)) : null,
        sensorIds: found.includes(null) ? null : [...new Set(found.flatMap((ids) => ids ?? []))],
        isAmbiguous: each.some((one) => one.isAmbiguous),
      };
    },

    hasSensorTable: tables.some((table) => table.hasSensorTable),

    async listSensorProfiles(sensorIds) {
      const profiles = new Map<string, SourceProfile>();
      for (const one of (await inTurn(tables, (table) => table.listSensorProfiles(sensorIds))).flat()) {
        const known = profiles.get(one.sensorId) ?? one;
        const { sensorId, name, group, place } = known;
        profiles.set(sensorId, {
          sensorId,
          name: name ?? one.name,
          group: group ?? one.group,
          place: place ?? one.place,
        });
      }
      return [...profiles.values()];
    },

    async newestReadings(sensorIds) {
      const each = await inTurn(tables, (table) => table.newestReadings(sensorIds));
      return new Map(sensorIds.map((id) => [id, newest(each.map((times) => times.get(id) ?? null))]));
    },

    async readCounter(sensorId, target, upTo) {
      const found = await inTurn(tables, (table) => table.readCounter(sensorId, target, upTo));
      return found.reduce((a, b) => (a === null || (b !== null && b.at > a.at) ? b : a), null);
    },

    async answers() {
      await inTurn(tables, (table) => table.answers());
    },

    async state() {
      const [state, ...others] = await inTurn(tables, (table) => table.state());
      if (state === undefined) throw new RangeError("a source has one table at least");
      const all = [state, ...others];
      return {
        ...state,
        newestReadingAt: newest(all.map((one) => one.newestReadingAt)),
        readingsAhead: all.reduce((sum, one) => sum + one.readingsAhead, 0),
      };
    },
  };
}

/** One after the other: the follower is somebody else's, and a cycle takes one connection of it. */
async function inTurn<Table, T>(tables: Table[], ask: (table: Table) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const table of tables) answers.push(await ask(table));
  return answers;
}

function join(parts: Readings[], targets: string[]): Readings {
  const series = parts.flatMap(({ at, values }) =>
    targets.flatMap((name) => (values[name] ? [{ name, at, values: values[name] }] : [])),
  );
  const { at, values } = alignSeries(series);
  const columns = targets.map((name) => {
    const own = series.flatMap((one, k) => (one.name === name ? [values[k] ?? at] : []));
    const [only] = own;
    if (own.length === 1 && only) return [name, only] as const;
    return [name, at.map((_, i) => own.find((column) => !Number.isNaN(column[i]))?.[i] ?? Number.NaN)] as const;
  });
  return { at, values: Object.fromEntries(columns) };
}

function newest(times: (Date | null)[]): Date | null {
  const known = times.filter((at) => at !== null).map(Number);
  return known.length === 0 ? null : new Date(Math.max(...known));
}
