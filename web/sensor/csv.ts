import type { ChartData } from "./chart-data.ts";
import type { Span } from "./view.ts";

/** What a chart shows of `span` as CSV (RFC 4180): readings, and the forecast that is drawn from the origin on. */
export function chartToCsv(data: ChartData, span: Span): string {
  const rows = data.at.flatMap((at, i) => {
    if (at < span.from || at > span.to) return [];
    // At the origin the band is joined to the reading; a forecast begins after it.
    const isAhead = data.origin !== null && at > data.origin;
    const ahead = [data.q10[i], data.q50[i], data.q90[i]].map((value) => (isAhead ? (value ?? "") : ""));
    return [[new Date(at).toISOString(), data.observed[i] ?? "", ...ahead, data.overlay[i] ?? ""].join(",")];
  });
  return `${["at,observed,q10,q50,q90,earlier", ...rows].join("\r\n")}\r\n`;
}

/** A file's name of an id and a target: what a file system may not like becomes "-". */
export function csvName(sensorId: string, target: string): string {
  return `${sensorId}-${target}.csv`.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^\.+/, "");
}
