/** What a wall clock shows twice because it is set back: [from, to) of its times, as "2026-10-25 02:00:00". */
export type DoubledHour = {
  from: string;
  to: string;
  /** By how much it is set back; half an hour on Lord Howe. */
  shiftSeconds: number;
  /** When it is set back. */
  at: Date;
};

const dayMs = 86_400_000;
const reachMs = 2 * dayMs;
const known = new Map<string, DoubledHour[]>();

/** The hours that the clock of `timeZone` shows twice while it is, somewhere, [after, upTo]; ascending. */
export function doubledHours(timeZone: string, after: Date, upTo: Date): DoubledHour[] {
  const [from, to] = [after.getTime() - reachMs, upTo.getTime() + reachMs];
  const years = [];
  for (let year = new Date(from).getUTCFullYear(); year <= new Date(to).getUTCFullYear(); year++) years.push(year);
  // Whoever asks from the beginning of time to its end gets none of the thousands of years with no reading in them.
  return years
    .filter((year) => year >= 1970 && year < 2100)
    .flatMap((year) => ofYear(timeZone, year))
    .filter(({ at }) => at.getTime() >= from && at.getTime() <= to);
}

function ofYear(timeZone: string, year: number): DoubledHour[] {
  const key = `${timeZone} ${year}`;
  const found = known.get(key) ?? search(timeZone, Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1));
  known.set(key, found);
  return found;
}

function search(timeZone: string, fromMs: number, toMs: number): DoubledHour[] {
  const wallMs = wallClock(timeZone);
  const offset = (ms: number) => wallMs(ms) - ms;
  const found: DoubledHour[] = [];
  for (let day = fromMs; day < toMs; day += dayMs) {
    const before = offset(day);
    const shift = before - offset(day + dayMs);
    if (shift <= 0) continue;
    let [low, high] = [day, day + dayMs];
    while (high - low > 1_000) {
      const middle = 1_000 * Math.floor((low + high) / 2_000);
      if (offset(middle) === before) low = middle;
      else high = middle;
    }
    const to = high + before;
    found.push({ from: textOf(to - shift), to: textOf(to), shiftSeconds: shift / 1_000, at: new Date(high) });
  }
  return found;
}

/** What the wall clock shows, as if it showed UTC; to the second. */
function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    ...{ timeZone, calendar: "gregory", hourCycle: "h23" },
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
}

const textOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
