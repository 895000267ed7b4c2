import type { AccuracyResponse } from "../../functions/api/contract/accuracy.ts";
import type { Model } from "../../functions/api/contract/models.ts";
import { formatDuration, formatPercent, formatSkill, formatTime, formatValue } from "../format.ts";
import type { LineSeries } from "../plots/line-series.ts";

/** What the accuracy plots show of one target. Pure. */
export type Group = AccuracyResponse["targets"][number]["groups"][number];
export type TargetAccuracy = AccuracyResponse["targets"][number];

export function errorSeries(groups: Group[]): LineSeries[] {
  return [
    { name: "served", look: "model", values: groups.map((group) => group.mae) },
    { name: "persistence", look: "persistence", values: groups.map((group) => group.persistenceMae) },
    { name: "seasonal naive", look: "seasonal", values: groups.map((group) => group.seasonalNaiveMae) },
  ];
}

/** Days on which another model became champion, as indices into the days shown. */
export function modelMarks(days: string[], models: Model[]): { index: number; name: string }[] {
  return models.flatMap((model) => {
    const index = model.promotedAt === null ? -1 : days.indexOf(model.promotedAt.slice(0, 10));
    return index < 0 ? [] : [{ index, name: model.modelId }];
  });
}

export function dayLabel(day: string): string {
  return formatTime(Date.parse(`${day}T00:00:00Z`), "utc", "day");
}

/** "MAE 0.18 °C over 24,192 scored points: 24 % better than persistence, 40 % better than seasonal naive." */
export function overallSentence(accuracy: TargetAccuracy): string {
  const { overall, unit } = accuracy;
  if (overall === null || overall.n === 0) return "";
  const against = [
    overall.skillPersistence === null ? "" : `${formatSkill(overall.skillPersistence)} skill against persistence`,
    overall.skillSeasonalNaive === null ? "" : `${formatSkill(overall.skillSeasonalNaive)} against seasonal naive`,
  ].filter(Boolean);
  const error = `Mean absolute error ${formatValue(overall.mae, unit)} over ${overall.n.toLocaleString("en-GB")} scored points`;
  const coverage =
    overall.coverage.observed === null
      ? ""
      : ` The ${formatPercent(overall.coverage.nominal)} range held ${formatPercent(overall.coverage.observed, 1)}.`;
  return `${error}${against.length > 0 ? `: ${against.join(", ")}` : ""}.${coverage}`;
}

/** What the figures would be with what annotations leave out; empty where nothing is left out. */
export function withLeftOutSentence({ withLeftOut, overall, unit }: TargetAccuracy): string {
  if (withLeftOut === null || withLeftOut.n === (overall?.n ?? 0)) return "";
  const left = withLeftOut.n - (overall?.n ?? 0);
  const observed = withLeftOut.coverage.observed;
  const held = observed === null ? "" : `, the range held ${formatPercent(observed, 1)}`;
  const count = left.toLocaleString("en-GB");
  return `Without ${count} points that annotations leave out; with them the mean absolute error is ${formatValue(withLeftOut.mae, unit)}${held}.`;
}

export function leadSummary(groups: Group[], unit: string, stepSeconds: number): string {
  const first = groups[0];
  const last = groups.at(-1);
  if (first === undefined || last === undefined) return "";
  const one = (group: Group) =>
    `${formatDuration((group.lead ?? 0) * stepSeconds)} ahead ${formatValue(group.mae, unit)}, persistence ${formatValue(group.persistenceMae, unit)}`;
  return `${one(first)}; ${one(last)}.`;
}
