import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";

/** A name in their database, taken as it is written there; it is checked against the catalogue and quoted. */
const Name = z.string().min(1).max(63);

const isTimeZone = (zone: string) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== null;
  } catch {
    return false;
  }
};

const shared = {
  /** Without it, a table "iot.readings" is taken apart at the dot, and any other is looked for along the search path. */
  schema: Name.optional(),
  /** A table, partitioned table, view or materialised view. */
  table: z.string().min(1).max(127).default("sensor_readings"),
  /** Integer, text or uuid. */
  sensorColumn: Name.default("sensor_id"),
  /** timestamptz; or timestamp without time zone, and then `timeZone` says whose wall clock it shows. */
  timeColumn: Name.default("timestamp"),
  timeZone: z.string().refine(isTimeZone, "must be an IANA time zone such as Europe/Berlin").optional(),
};

const defaultTargets = [
  { name: "temperature", unit: "°C", min: -40, max: 85 },
  { name: "humidity", unit: "%", min: 0, max: 100 },
];

const Range = { error: "min must be less than max" };
const hasRange = (target: Target) => target.min < target.max;

/** A column per target; the column's name is the target's where it is not given. */
const Wide = z.strictObject({
  layout: z.literal("wide").default("wide"),
  ...shared,
  targets: z
    .array(z.strictObject({ ...Target.shape, column: Name.optional() }).refine(hasRange, Range))
    .min(1)
    .default(defaultTargets),
});

/** A row per target: `targetColumn` says which, by the target's `key` (its name where not given), `valueColumn` how much. */
const Long = z.strictObject({
  layout: z.literal("long"),
  ...shared,
  targetColumn: Name,
  valueColumn: Name,
  targets: z
    .array(z.strictObject({ ...Target.shape, key: z.string().min(1).max(256).optional() }).refine(hasRange, Range))
    .min(1)
    .default(defaultTargets),
});

/** How somebody's table of readings is read; `{}` is the demo's `sensor_readings`. */
export const Source = z
  .union([Long, Wide])
  .refine((source) => new Set(source.targets.map((target) => target.name)).size === source.targets.length, {
    error: "two targets have the same name",
    path: ["targets"],
  });
export type Source = z.infer<typeof Source>;

/** The mapping in `value`, already parsed JSON. Throws misconfigured with every mistake and where it is. */
export function parseSource(value: unknown): Source {
  const layout = typeof value === "object" && value !== null && "layout" in value ? value.layout : "wide";
  const schema = layout === "long" ? Long : Wide;
  const parsed = schema.safeParse(value).success ? Source.safeParse(value) : schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("misconfigured", `SOURCE_CONFIG:\n${z.prettifyError(parsed.error)}`);
}

/** The mapping as configured: inline JSON, the path of a JSON file, or null for the default. Throws misconfigured. */
export async function readSource(configured: string | null): Promise<Source> {
  if (configured === null) return parseSource({});
  const isInline = configured.trimStart().startsWith("{");
  const text = isInline ? configured : await readFile(configured, "utf8").catch(failWith(`cannot read ${configured}`));
  try {
    return parseSource(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return failWith(`${isInline ? "the inline mapping" : configured} is not JSON`)(error);
  }
}

/** Name, unit and range of what is forecast, in the order of every array. */
export function targetsOf(source: Source): Target[] {
  return source.targets.map(({ name, unit, min, max }) => ({ name, unit, min, max }));
}

function failWith(what: string): (error: unknown) => never {
  return (cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("misconfigured", `SOURCE_CONFIG: ${what}: ${why}`, { cause });
  };
}
