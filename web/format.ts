import { formatDuration as plainDuration } from "../core/duration.ts";

/** Text for people. Pure: no clock, no locale but English, `zone` says which wall clock is shown. */
export type Zone = "utc" | "local";

export const missing = "–";
const minus = "\u2212";
/** Narrow no-break space: keeps a number and its unit on one line. */
const thinSpace = "\u202f";

/** Decimals that suit values of this size, so that one target always shows the same number of them. */
export function decimalsFor(magnitude: number): number {
  if (magnitude >= 1000) return 0;
  if (magnitude >= 1) return 1;
  return magnitude >= 0.1 ? 2 : 3;
}

export function formatNumber(value: number, decimals: number): string {
  const text = Math.abs(value).toLocaleString("en-GB", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  const isZero = Number(Math.abs(value).toFixed(decimals)) === 0;
  return value < 0 && !isZero ? minus + text : text;
}

/** "21.4 °C"; a dash where there is no value. */
export function formatValue(value: number | null | undefined, unit: string, decimals?: number): string {
  if (value === null || value === undefined) return missing;
  return withUnit(formatNumber(value, decimals ?? decimalsFor(Math.abs(value))), unit);
}

/** "21.0 to 22.2 °C" */
export function formatRange(low: number, high: number, unit: string, decimals?: number): string {
  const digits = decimals ?? decimalsFor(Math.max(Math.abs(low), Math.abs(high)));
  return withUnit(`${formatNumber(low, digits)} to ${formatNumber(high, digits)}`, unit);
}

export function withUnit(text: string, unit: string): string {
  return unit === "" ? text : text + thinSpace + unit;
}

/** "45 s", "12 min", "3 h 05 min", "2 d 4 h", with the thin spaces that keep a number beside its unit. */
export function formatDuration(seconds: number): string {
  return plainDuration(Math.round(seconds)).replace(/(?<=\d) (?=[a-z])/g, thinSpace);
}

/** "+32 %", "−4 %"; skill is 1 - MAE / MAE of the yardstick. */
export function formatSkill(skill: number | null): string {
  if (skill === null) return missing;
  const percent = Math.round(skill * 100);
  return `${percent > 0 ? "+" : percent < 0 ? minus : ""}${Math.abs(percent)}${thinSpace}%`;
}

export function formatPercent(share: number | null, decimals = 0): string {
  return share === null ? missing : `${formatNumber(share * 100, decimals)}${thinSpace}%`;
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-GB");
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${formatNumber(value, unit === 0 || value >= 100 ? 0 : 1)}${thinSpace}${units[unit]}`;
}

type TimeStyle = "clock" | "clockSeconds" | "day" | "dayClock" | "full" | "date";
const styles: Record<TimeStyle, Intl.DateTimeFormatOptions> = {
  clock: { hour: "2-digit", minute: "2-digit" },
  clockSeconds: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  day: { day: "numeric", month: "short" },
  dayClock: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  full: { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
};
const formats = new Map<string, Intl.DateTimeFormat>();

/** `at` in epoch milliseconds; the same call always gives the same text for "utc". */
export function formatTime(at: number, zone: Zone, style: TimeStyle): string {
  const key = zone + style;
  let format = formats.get(key);
  if (format === undefined) {
    const options: Intl.DateTimeFormatOptions = { ...styles[style], hourCycle: "h23" };
    format = new Intl.DateTimeFormat("en-GB", zone === "utc" ? { ...options, timeZone: "UTC" } : options);
    formats.set(key, format);
  }
  return format.format(at).replace(",", "");
}

/** "Temperature" for temperature, "Soil moisture" for soil_moisture. */
export function titleOf(target: string): string {
  const words = target.replace(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

export function shortSha(sha256: string): string {
  return sha256.slice(0, 10);
}
