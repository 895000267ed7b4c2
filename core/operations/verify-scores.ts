import type { Fleet } from "../data/reading.ts";
import { maturedLeads } from "../forecast/matured.ts";
import type { Score } from "../forecast/score.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { readActuals } from "./learn.ts";
import type { ScoreSettings } from "./score.ts";
import { scoreLeads } from "./score-leads.ts";

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
  const matured = maturedLeads(own, (at) => at === targetAt.getTime());
  const [made] = scoreLeads(matured, () => actual, scoredAt);
  const { lookbackSteps, settleSteps } = settings.score;
  const completeBy = addSeconds(clock.now(), -(lookbackSteps + settleSteps) * settings.fleet.stepSeconds);
  const leads = [...new Set([...row.leads, ...(made?.leads ?? [])])].sort((a, b) => a - b);
  return leads.flatMap((lead) => {
    const [stored, expected] = [scoreAt(row, lead), scoreAt(made, lead)];
    if (stored === null) {
      return expected !== null && targetAt < completeBy ? `lead ${lead} was issued in time and is not scored` : [];
    }
    if (expected === null) return `lead ${lead} is scored, but no forecast of it was issued before its moment`;
    if (!isClose(stored.error, expected.error)) return `lead ${lead} has error ${stored.error}, not ${expected.error}`;
    if (!isClose(stored.pinball, expected.pinball))
      return `lead ${lead} has pinball loss ${stored.pinball}, not ${expected.pinball}`;
    if (stored.isCovered !== expected.isCovered)
      return `lead ${lead} counts as ${stored.isCovered ? "" : "not "}covered`;
    return [];
  });
}

type LeadScore = { error: number; pinball: number; isCovered: boolean | null };

/** What a row says of one lead; null where it is not scored. */
function scoreAt(row: Score | undefined, lead: number): LeadScore | null {
  const h = row?.leads.indexOf(lead) ?? -1;
  const error = row?.error[h];
  if (row === undefined || error === undefined || error === null) return null;
  return { error, pinball: row.pinball[h] ?? Number.NaN, isCovered: row.isCovered[h] ?? null };
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
