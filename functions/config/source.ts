import { readFile } from "node:fs/promises";
import * as z from "zod";
import { Target } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import { type Conversion, conversionOf } from "./units.ts";

/** A name in their database, taken as it is written there; it is checked against the catalogue and quoted. */
const Name = z.string().min(1).max(63);

const isTimeZone = (zone: string) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== null;
  } catch {
    return false;
  }
};

/** How moments are written in a column that is no timestamp: counted since 1970 in UTC, or ISO 8601 text. */
export const TimeFormat = z.enum(["timestamp", "seconds", "milliseconds", "microseconds", "iso"]);
export type TimeFormat = z.infer<typeof TimeFormat>;

/** Rows that count: a column's value, one of several, or null. */
const Scalar = z.union([z.string().max(1000), z.number(), z.boolean(), z.null()]);
const Filter = z.record(Name, z.union([Scalar, z.array(Scalar).min(1).max(1000)]));

/** Where in a JSON column the value stands: "payload.temperature", or a list of keys where a key holds a dot. */
const Path = z
  .union([
    z
      .string()
      .min(1)
      .transform((text) => text.split(".")),
    z.array(z.string().min(1)).min(1),
  ])
  .describe("keys from the outside in");

/** Their table of sensors: what people call them and where they are. Without `filter` every row counts. */
const Sensors = z
  .strictObject({
    schema: Name.optional(),
    table: z.string().min(1).max(127),
    /** The id as the readings have it. */
    sensorColumn: Name.default("id"),
    nameColumn: Name.optional(),
    /** A path such as "site/building/room", or its parts from the outside in. */
    groupColumn: z
      .union([Name.transform((name) => [name]), z.array(Name).min(1).max(8)])
      .optional()
      .describe("a column, or several from the outside in"),
    placeColumn: Name.optional(),
    filter: Filter.optional(),
  })
  .refine(({ nameColumn, groupColumn, placeColumn }) => (nameColumn ?? groupColumn ?? placeColumn) !== undefined, {
    error: "give nameColumn, groupColumn or placeColumn: without one the table tells nothing",
  });
export type SensorTable = z.infer<typeof Sensors>;

const shared = {
  /**
   * Without it, a table "iot.readings" is taken apart at the dot, and any other is looked for along the search path.
   */
  schema: Name.optional(),
  /** A table, partitioned table, view or materialised view. */
  table: z.string().min(1).max(127).default("sensor_readings"),
  /** Integer, text or uuid. */
  sensorColumn: Name.default("sensor_id"),
  /** timestamptz; timestamp, and then `timeZone` says whose wall clock it shows; or what `timeFormat` says. */
  timeColumn: Name.default("timestamp"),
  timeFormat: TimeFormat.optional(),
  timeZone: z.string().refine(isTimeZone, "must be an IANA time zone such as Europe/Berlin").optional(),
  /**
   * Rises as readings arrive: a running number, or a time of arrival. Tells the hour that autumn shows twice apart.
   * Without it a number called `id` does.
   */
  arrivalColumn: Name.optional(),
  filter: Filter.optional(),
  sensors: Sensors.optional(),
};

const defaultTargets = [
  { name: "temperature", unit: "°C", min: -40, max: 85, kind: "value" as const },
  { name: "humidity", unit: "%", min: 0, max: 100, kind: "value" as const },
];

/** What a column holds becomes a target's value by value * scale + offset, or by the unit that it is in. */
const converted = {
  scale: z
    .number()
    .refine((scale) => scale !== 0, "must not be 0")
    .optional(),
  offset: z.number().optional(),
  sourceUnit: z.string().max(32).optional(),
};

/** "counter" only grows, or begins anew at 0: its rate per hour is forecast, and min and max are that rate's. */
const kind = z.enum(["value", "counter"]).default("value");
const { counts: _, ...targetShape } = Target.shape;

const Range = { error: "min must be less than max" };
const hasRange = (target: Target) => target.min < target.max;
type Convertible = Target & {
  scale?: number | undefined;
  offset?: number | undefined;
  sourceUnit?: string | undefined;
};
const Convertible = {
  error:
    "sourceUnit and unit have no known conversion, or scale and offset stand beside it: give scale and offset alone",
};
const isConvertible = ({ unit, sourceUnit, scale, offset }: Convertible) =>
  sourceUnit === undefined || (scale === undefined && offset === undefined && conversionOf(sourceUnit, unit) !== null);

/**
 * A column per target; the column's name is the target's where it is not given. Numbers, text numbers, or JSON with a
 * `path`.
 */
const WideTarget = z
  .strictObject({ ...targetShape, kind, ...converted, column: Name.optional(), path: Path.optional() })
  .refine(hasRange, Range)
  .refine(isConvertible, Convertible);
const Wide = z.strictObject({
  layout: z.literal("wide").default("wide"),
  ...shared,
  targets: z.array(WideTarget).min(1).default(defaultTargets),
});

/**
 * A row per target: `targetColumn` says which, by the target's `key` (its name where not given), `valueColumn` how
 * much.
 */
const LongTarget = z
  .strictObject({ ...targetShape, kind, ...converted, key: z.string().min(1).max(256).optional() })
  .refine(hasRange, Range)
  .refine(isConvertible, Convertible);
const Long = z.strictObject({
  layout: z.literal("long"),
  ...shared,
  targetColumn: Name,
  valueColumn: Name,
  path: Path.optional(),
  targets: z.array(LongTarget).min(1).default(defaultTargets),
});

/** How somebody's table of readings is read; `{}` is the demo's `sensor_readings`. */
export const Source = z
  .union([Long, Wide])
  .refine((source) => new Set(source.targets.map((target) => target.name)).size === source.targets.length, {
    error: "two targets have the same name",
    path: ["targets"],
  });
export type Source = z.infer<typeof Source>;

/**
 * The mapping of one table in `value`, already parsed JSON. Throws misconfigured with every mistake and where it is.
 */
export function parseSource(value: unknown): Source {
  const layout = isObject(value) && "layout" in value ? value.layout : "wide";
  const schema = layout === "long" ? Long : Wide;
  const parsed = schema.safeParse(value).success ? Source.safeParse(value) : schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AppError("misconfigured", `SOURCE_CONFIG:\n${z.prettifyError(parsed.error)}`);
}

/**
 * One table, or several as { "tables": [ ... ] }: their targets are the fleet's, in that order; a target that two
 * tables have is read from both, and must have one unit and range. Throws misconfigured.
 */
export function parseSources(value: unknown): Source[] {
  if (!isObject(value) || !("tables" in value)) return [parseSource(value)];
  const tables = z.strictObject({ tables: z.array(z.unknown()).min(1).max(32) }).safeParse(value);
  if (!tables.success) throw new AppError("misconfigured", `SOURCE_CONFIG:\n${z.prettifyError(tables.error)}`);
  const sources = tables.data.tables.map(parseSource);
  const known = new Map<string, Target>();
  for (const target of sources.flatMap(toTargets)) {
    const other = known.get(target.name) ?? target;
    if (
      other.unit !== target.unit ||
      other.counts !== target.counts ||
      other.holdSeconds !== target.holdSeconds ||
      other.min !== target.min ||
      other.max !== target.max
    ) {
      throw new AppError(
        "misconfigured",
        `SOURCE_CONFIG: target ${target.name} has two units, ranges, kinds or holdSeconds: give both tables one`,
      );
    }
    known.set(target.name, target);
  }
  return sources;
}

/** The mapping as configured: inline JSON, the path of a JSON file, or null for the default. Throws misconfigured. */
export async function readSources(configured: string | null): Promise<Source[]> {
  if (configured === null) return parseSources({});
  const isInline = configured.trimStart().startsWith("{");
  const text = isInline ? configured : await readFile(configured, "utf8").catch(failWith(`cannot read ${configured}`));
  try {
    return parseSources(JSON.parse(text));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return failWith(`${isInline ? "the inline mapping" : configured} is not JSON`)(error);
  }
}

/** Name, unit and range of what is forecast, in the order of every array. */
export function targetsOf(sources: Source[]): Target[] {
  return [...new Map(sources.flatMap(toTargets).map((target) => [target.name, target])).values()];
}

/** The targets of one table, a counter as its rate. */
export function toTargets(source: Source): Target[] {
  return source.targets.map(({ name, unit, min, max, kind, holdSeconds }) => ({
    name,
    min,
    max,
    ...(kind === "counter" ? { unit: `${unit}/h`, counts: unit } : { unit }),
    ...(holdSeconds === undefined ? {} : { holdSeconds }),
  }));
}

/** From what the column of a target holds to the target's unit; null where it is in it already. */
export function conversionTo({ unit, sourceUnit, scale = 1, offset = 0 }: Convertible): Conversion | null {
  const conversion = sourceUnit === undefined ? { scale, offset } : conversionOf(sourceUnit, unit);
  return conversion === null || (conversion.scale === 1 && conversion.offset === 0) ? null : conversion;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function failWith(what: string): (error: unknown) => never {
  return (cause) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError("misconfigured", `SOURCE_CONFIG: ${what}: ${why}`, { cause });
  };
}
