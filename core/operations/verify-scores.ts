import type { Fleet } from "../data/reading.ts";
import { maturedLeads } from "../forecast/matured.ts";
import type { Score } from "../forecast/score.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { readActuals } from "./learn.ts";
import { keyOf, type ScoreSettings, scoreLeads } from "./score.ts";

export type { ScoreSettings } from "./score.ts";

type SamplePorts = Pick<Ports, "clock" | "evidence"> & {
  follower: Pick<Ports["follower"], "readWindows">;
  scores: Pick<Ports["scores"], "maturing">;
};
type SampleSettings = { fleet: Fleet; score: ScoreSettings; sample: number };

/** Stored numbers have 24 bits. */
const tolerance = 1e-5;

/** Score rows of a sample that do not come out again from the stored forecasts and the source's readings. */
export async function wrongScores(
  ports: SamplePorts,
  settings: SampleSettings,
  range: { from: Date; to: Date },
): Promise<string[]> {
  const rows = await ports.evidence.someScores(range, settings.sample);
  const wrong: string[] = [];
  for (const row of rows) {
    const faults = [...(await wrongLeads(ports, settings, row)), ...(await wrongActual(ports, settings, row))];
    const { sensorId, target, modelKey, targetAt } = row;
    if (faults.length > 0)
      wrong.push(`${sensorId} ${target} at ${targetAt.toISOString()} by ${modelKey}: ${faults[0]}`);
  }
  return wrong;
}

/** What the forecasts say of each lead, beside what is stored. */
async function wrongLeads({ clock, scores }: SamplePorts, settings: SampleSettings, row: Score): Promise<string[]> {
  const { sensorId, target, targetAt, modelKey, actual, scoredAt } = row;
  const forecasts = await scores.maturing([sensorId], addSeconds(targetAt, -1), targetAt);
  const own = forecasts.filter((one) => one.target === target && one.modelKey === modelKey);
  const matured = maturedLeads(own, (at) => at.getTime() === targetAt.getTime());
  const [made] = scoreLeads(matured, new Map([[keyOf(sensorId, target, targetAt), actual]]), scoredAt);
  const { lookbackSteps, settleSteps } = settings.score;
  const completeBy = addSeconds(clock.now(), -(lookbackSteps + settleSteps) * settings.fleet.stepSeconds);
  const leads = Math.max(row.error.length, made?.error.length ?? 0);
  return Array.from({ length: leads }, (_, h) => {
    const [stored, expected] = [row.error[h] ?? null, made?.error[h] ?? null];
    if (stored === null) {
      return expected !== null && targetAt < completeBy ? `lead ${h + 1} was issued in time and is not scored` : null;
    }
    if (expected === null) return `lead ${h + 1} is scored, but no forecast of it was issued before its moment`;
    if (!isClose(stored, expected)) return `lead ${h + 1} has error ${stored}, not ${expected}`;
    if (!isClose(row.pinball[h] ?? Number.NaN, made?.pinball[h] ?? 0))
      return `lead ${h + 1} has pinball loss ${row.pinball[h]}, not ${made?.pinball[h]}`;
    if (row.isCovered[h] !== made?.isCovered[h])
      return `lead ${h + 1} counts as ${row.isCovered[h] ? "" : "not "}covered`;
    return null;
  }).filter((fault) => fault !== null);
}

/**
 * What the source says of the moment, beside what was scored: as some pass that may have scored it saw it. Nothing
 * where the source has no value of it (any more).
 */
async function wrongActual({ follower }: SamplePorts, { fleet, score }: SampleSettings, row: Score): Promise<string[]> {
  const { sensorId, target, targetAt, actual } = row;
  const k = fleet.targets.findIndex(({ name }) => name === target);
  if (k < 0) return [];
  let said: number | undefined;
  for (let later = 0; later < score.recentSteps; later++) {
    const upTo = addSeconds(targetAt, later * fleet.stepSeconds);
    const known = await readActuals(
      follower,
      fleet,
      [sensorId],
      addSeconds(upTo, -score.recentSteps * fleet.stepSeconds),
      upTo,
    );
    const value = known.get(sensorId)?.[k]?.find(({ at }) => at.getTime() === targetAt.getTime())?.value;
    if (value !== undefined && isClose(value, actual)) return [];
    said ??= value;
  }
  if (said === undefined) return [];
  return [`the source says ${said}, scored was ${actual}: wrong, or readings came or changed since`];
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b));
}
