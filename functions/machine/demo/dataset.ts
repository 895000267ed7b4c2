import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { parse } from "csv-parse/sync";
import { AppError } from "../../../core/errors.ts";

/** One line of the shipped dataset; `at` in epoch milliseconds. */
export type DemoReading = { sensorId: string; at: number; temperature: number | null; humidity: number | null };

/** The last moment of the training and validation range; what comes after is replayed live, unseen by the models. */
export const historyEndsAt = new Date("2016-04-30T07:20:00Z");

/** The nine rooms of UCI Appliances Energy (models/datasets/README.md), oldest first. */
export async function readDataset(): Promise<DemoReading[]> {
  const file = join(import.meta.dirname, "../../../models/datasets/uci_appliances_energy.csv.gz");
  const text = (await promisify(gunzip)(await readFile(file))).toString("utf8");
  const lines: string[][] = parse(text, { from: 2 });
  return lines.map(toReading).sort((a, b) => a.at - b.at);
}

/** By hand: a schema library would take longer for 177,615 lines than everything else that the file needs. */
function toReading([sensorId, time, temperature, humidity]: string[], index: number): DemoReading {
  const number = (text: string | undefined) => (text ? Number(text) : null);
  const reading = {
    sensorId: sensorId ?? "",
    at: Date.parse(time ?? ""),
    temperature: number(temperature),
    humidity: number(humidity),
  };
  if (sensorId && [reading.at, reading.temperature ?? 0, reading.humidity ?? 0].every(Number.isFinite)) return reading;
  throw new AppError("internal", `the demo's dataset is damaged in line ${index + 2}: check it out again`);
}

const dayMs = 86_400_000;
/** Whole weeks, so that the hour and the weekday of a repeated reading stay true. */
const periodMs = 28 * dayMs;

/**
 * The dataset without end: when it is over, its last four weeks come again, 28 days later each time, without a gap.
 * `rows` oldest first, at least 28 days long.
 */
export function endless(rows: DemoReading[]) {
  const endMs = rows.at(-1)?.at ?? 0;
  const again = rows.filter((row) => row.at > endMs - periodMs);
  /** Rows of round `n`; round 0 is the dataset itself. */
  const shifted = (n: number, row: DemoReading): DemoReading => ({ ...row, at: row.at + n * periodMs });
  const roundOf = (ms: number) => Math.max(0, Math.ceil((ms - endMs) / periodMs));

  return {
    /** Readings with `at` in (afterMs, upToMs], oldest first. */
    between(afterMs: number, upToMs: number): DemoReading[] {
      const found: DemoReading[] = [];
      for (let n = roundOf(afterMs); n <= roundOf(upToMs); n++) {
        const round = n === 0 ? rows : again;
        const offset = n * periodMs;
        for (let i = firstAfter(round, afterMs - offset); i < round.length; i++) {
          const row = round[i];
          if (row === undefined || row.at + offset > upToMs) break;
          found.push(shifted(n, row));
        }
      }
      return found;
    },

    /** When the first reading after `afterMs` is due. */
    nextAt(afterMs: number): number {
      for (let n = roundOf(afterMs); ; n++) {
        const round = n === 0 ? rows : again;
        const row = round[firstAfter(round, afterMs - n * periodMs)];
        if (row !== undefined) return row.at + n * periodMs;
      }
    },
  };
}

function firstAfter(rows: DemoReading[], ms: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle]?.at ?? 0) > ms) high = middle;
    else low = middle + 1;
  }
  return low;
}
