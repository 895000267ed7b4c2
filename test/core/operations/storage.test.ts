import { expect, test } from "vitest";
import { storageOf } from "../../../core/operations/storage.ts";

const retention = { mixDays: 2, forecastDays: 400, cycleDays: 90, isArchived: true };
const now = new Date("2026-03-10T12:00:00Z");
const of = (table: string, day: string, bytes: number) => ({ table, day, bytes });

test("tells what yesterday added, and the days until the limit", () => {
  const sizes = [
    of("issued", "2026-03-08", 50),
    of("issued", "2026-03-09", 70),
    of("issued", "2026-03-10", 30),
    of("score", "2026-03-09", 20),
    of("outcome", "2026-03-09", 10),
    of("issued_mix", "2026-03-09", 999),
    of("issued", "2026-03-11", 8),
  ];
  const made = storageOf(sizes, { retention, bytes: 1000, limitBytes: 2000 }, now);
  expect(made).toMatchObject({ bytesPerDay: 100, freedPerDay: 0, daysToLimit: 10 });
  expect(made.tables[0]).toEqual({
    ...{ table: "issued", keptDays: 400, days: 4, bytes: 158, oldestDay: "2026-03-08", goesBytes: 50 },
    goesAt: new Date("2027-04-13T00:00:00Z"),
  });
  expect(storageOf(sizes, { retention, bytes: 3000, limitBytes: 2000 }, now).daysToLimit).toBe(0);
  expect(storageOf(sizes, { retention, bytes: 1000, limitBytes: null }, now).daysToLimit).toBeNull();
  expect(storageOf([], { retention, bytes: 1000, limitBytes: 2000 }, now)).toMatchObject({
    ...{ bytesPerDay: null, daysToLimit: null, tables: [] },
  });
});

test("does not grow where as much goes as comes", () => {
  const short = { ...retention, forecastDays: 5 };
  const sizes = [of("issued", "2026-03-05", 70), of("issued", "2026-03-09", 70)];
  const made = storageOf(sizes, { retention: short, bytes: 1000, limitBytes: 2000 }, now);
  expect(made).toMatchObject({ bytesPerDay: 70, freedPerDay: 70, daysToLimit: null });
});
