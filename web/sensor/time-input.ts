import type { Zone } from "../format.ts";

/** What a datetime-local input shows for `at` on that wall clock. */
export function toInput(at: number, zone: Zone): string {
  const shift = zone === "utc" ? 0 : new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - shift).toISOString().slice(0, 16);
}

/** The moment that a datetime-local input says on that wall clock; null where it says none. */
export function fromInput(text: string, zone: Zone): number | null {
  const at = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isFinite(at) ? at : null;
}
