/** ISO 8601, the seconds and the zone where they are; a date alone is its first moment. */
const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Epoch milliseconds of a cell; `isNaive` where it names no zone and is taken as UTC. Null for what is no time. */
export function parseTime(text: string): { at: number; isNaive: boolean } | null {
  const trimmed = text.trim();
  if (/^\d{9,16}(\.\d+)?$/.test(trimmed)) return { at: fromEpoch(trimmed), isNaive: false };
  const found = iso.exec(trimmed);
  if (found === null) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "0", zone] = found;
  const date = `${year}-${month}-${day}`;
  const at = Date.parse(`${date}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}${offsetOf(zone)}`);
  if (Number.isNaN(at)) return null;
  // Date.parse moves 30 February to March.
  const isDay = new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().startsWith(date);
  return isDay ? { at, isNaive: zone === undefined } : null;
}

/** By size: seconds of this century have up to ten digits, milliseconds thirteen, microseconds sixteen. */
function fromEpoch(text: string): number {
  const digits = text.split(".")[0]!.length;
  const value = Number(text);
  if (digits <= 10) return value * 1000;
  return digits <= 13 ? value : value / 1000;
}

function offsetOf(zone: string | undefined): string {
  if (zone === undefined || /^z$/i.test(zone)) return "Z";
  const [sign, digits] = [zone[0], zone.slice(1).replace(":", "").padEnd(4, "0")];
  return `${sign}${digits.slice(0, 2)}:${digits.slice(2)}`;
}
