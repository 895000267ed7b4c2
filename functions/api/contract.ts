import { z } from "@hono/zod-openapi";
import { sensorStatuses } from "../../core/forecast/sensor.ts";
import { queueNames } from "../../core/messages.ts";

/**
 * The API's shapes: zod is the contract, OpenAPI and the dashboard's types are made from it. Times are RFC 3339 UTC.
 */
const time = z.iso.datetime().openapi({ example: "2016-05-01T12:00:00.000Z" });
const column = z.array(z.number().nullable());
/** How many steps ahead the elements of the columns lie; ascending. */
const leads = z.array(z.int().positive());

/** Any text that Postgres can hold. */
export const Text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be well-formed text without NUL");

/** A sensor's or model's id. */
export const Id = Text(256).min(1);

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    /** The same id as in the log line and the X-Request-Id header. */
    requestId: z.string().optional(),
    have: z.number().optional(),
    need: z.number().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof Problem>;

export const Coverage = z
  .object({ nominal: z.number(), observed: z.number().nullable(), n: z.int() })
  .openapi("Coverage", {
    description:
      "Nominal and observed coverage of [q10, q90] by this sensor's model, over the n points scored in the last 7 days",
  });
export type Coverage = z.infer<typeof Coverage>;

export const MixResponse = z
  .object({
    /** Newest outcome that weights and widths had learnt from; null before the first. */
    learntThrough: time.nullable(),
    /** The newer model on trial that took part; null when there was none. */
    challengerId: z.string().nullable(),
    groups: z.array(
      z.object({
        firstLead: z.int(),
        lastLead: z.int(),
        weights: z.object({
          lstm: z.number(),
          challenger: z.number(),
          ridge: z.number(),
          climatology: z.number(),
          persistence: z.number(),
        }),
        widths: z.object({ lower: z.number(), upper: z.number() }),
      }),
    ),
  })
  .openapi("Mix", {
    description:
      "How the quantiles came about: mean weights of the experts (together 1), and mean factors on the band's two sides, per group of leads; where they differ, the middle moves to the wider side",
  });
export type MixResponse = z.infer<typeof MixResponse>;

export const CounterLevel = z
  .object({
    unit: z.string(),
    /** Where the counter stood, and when: its newest reading up to the origin. */
    readAt: time,
    from: z.number(),
    q10: z.array(z.number()),
    q50: z.array(z.number()),
    q90: z.array(z.number()),
  })
  .openapi("CounterLevel", {
    description:
      "Of a counter, whose rate per hour is what the forecast holds: where it will stand at each `targetAt`. The band is the sum of the steps' bands, which is wider than 80 %",
  });
export type CounterLevel = z.infer<typeof CounterLevel>;

export const ForecastResponse = z
  .object({
    sensorId: z.string(),
    target: z.string(),
    unit: z.string(),
    origin: time,
    issuedAt: time,
    slot: time,
    stepSeconds: z.int(),
    method: z.enum(["lstm", "baseline"]),
    baseline: z.string().nullable(),
    reason: z.string().nullable(),
    reasonText: z.string().nullable(),
    modelId: z.string().nullable(),
    modelSha256: z.string().nullable(),
    sourceWatermark: time,
    imputedSteps: z.int(),
    codeVersion: z.string(),
    coverage: Coverage,
    /** Null for a baseline. */
    mix: MixResponse.nullable(),
    leads,
    targetAt: z.array(time),
    q10: z.array(z.number()),
    q50: z.array(z.number()),
    q90: z.array(z.number()),
    /** Only of counters, and only where one sensor is asked for. */
    level: CounterLevel.optional(),
  })
  .openapi("Forecast");
export type ForecastResponse = z.infer<typeof ForecastResponse>;

export const SensorTarget = z
  .object({
    target: z.string(),
    unit: z.string(),
    min: z.number(),
    max: z.number(),
    lastValue: z.number().nullable(),
    lastReadingAt: time.nullable(),
    /** The last 24 h on the grid, thinned to 144 points at most: what a sparkline draws. */
    history: z.object({ at: z.array(time), value: column }),
    /** The latest one, whole. */
    forecast: ForecastResponse.nullable(),
    /**
     * 1 - MAE / MAE of the yardstick by the model that serves, last 7 days, all leads; null before anything was scored.
     */
    skill: z.object({ persistence: z.number().nullable(), seasonalNaive: z.number().nullable(), n: z.int() }),
  })
  .openapi("SensorTarget");
export type SensorTarget = z.infer<typeof SensorTarget>;

export const SensorStatus = z.enum(sensorStatuses).openapi("SensorStatus");
export type SensorStatus = z.infer<typeof SensorStatus>;

const LimitsShape = z.object({ low: z.number().nullable(), high: z.number().nullable() });

export const Profile = z
  .object({
    name: z.string().nullable(),
    /** A path: site/building/room. */
    group: z.string().nullable(),
    place: z.string().nullable(),
    notes: z.string().nullable(),
    limits: z.record(z.string(), LimitsShape),
  })
  .openapi("Profile", { description: "The sensor as people know it: edited here, else as its source's table says" });
export type Profile = z.infer<typeof Profile>;

export const Sensor = z
  .object({
    sensorId: z.string(),
    status: SensorStatus,
    statusText: z.string(),
    newestReadingAt: time.nullable(),
    lastOutcome: z
      .object({
        slot: time,
        status: z.string(),
        reason: z.string().nullable(),
        reasonText: z.string().nullable(),
        have: z.int().nullable(),
        need: z.int().nullable(),
        /** Readings of the context that were held back until the next one confirms them, or dropped. */
        held: z.int(),
      })
      .nullable(),
    modelId: z.string().nullable(),
    profile: Profile,
    targets: z.array(SensorTarget),
  })
  .openapi("Sensor");
export type Sensor = z.infer<typeof Sensor>;

const page = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const SensorSummary = z
  .object({
    sensorId: z.string(),
    /** `name`, `group` and `reason` only where there is one. */
    name: z.string().optional(),
    group: z.string().optional(),
    status: SensorStatus,
    reason: z.string().optional(),
    /** The newest that a forecast used. */
    newestReadingAt: time.nullable(),
    modelId: z.string().nullable(),
    /** Of the target that fares worst, over the last 7 days; up to an hour old. */
    skill: z.number().nullable(),
    coverage: z.number().nullable(),
  })
  .openapi("SensorSummary");
export type SensorSummary = z.infer<typeof SensorSummary>;

/** What every page of sensors has beside its items. */
export const sensorPageFields = {
  nextCursor: z.string().nullable(),
  /** How many sensors fit, and how many of each status fit whatever `status` asks for. */
  total: z.int(),
  counts: z.record(SensorStatus, z.int()),
  /** For `changedSince`. */
  version: z.string(),
};

export const SensorPage = z.object({ items: z.array(SensorSummary), ...sensorPageFields }).openapi("SensorPage");
export type SensorPage = z.infer<typeof SensorPage>;

export const ReadingsResponse = z
  .object({
    sensorId: z.string(),
    stepSeconds: z.int(),
    from: time,
    to: time,
    at: z.array(time),
    targets: z.array(
      z.object({
        target: z.string(),
        unit: z.string(),
        value: column,
        /** Lone readings that no forecast used: the next one did not confirm them, or has not come. Not in `value`. */
        heldBack: z.array(z.object({ at: time, value: z.number() })),
        /** The newest shift of level or unit, in a sentence. */
        shift: z.object({ at: time, text: z.string() }).nullable(),
        /**
         * Where none came, of a sensor that is used to be silent for so long: the value that forecasts take for it.
         * Null elsewhere.
         */
        standing: column,
        /** Median time between readings; null where it is not known. */
        everySeconds: z.number().nullable(),
      }),
    ),
  })
  .openapi("Readings", { description: "Grid values in (from, to]; null where nothing was measured" });
export type ReadingsResponse = z.infer<typeof ReadingsResponse>;

export const ForecastList = page(ForecastResponse).openapi("ForecastList");
export type ForecastList = z.infer<typeof ForecastList>;

/** One lead over time: what was forecast for each moment, `lead` steps ahead. */
export const LeadSeries = z
  .object({
    sensorId: z.string(),
    target: z.string(),
    unit: z.string(),
    lead: z.int(),
    targetAt: z.array(time),
    origin: z.array(time),
    q10: column,
    q50: column,
    q90: column,
  })
  .openapi("LeadSeries");
export type LeadSeries = z.infer<typeof LeadSeries>;
/** What `/forecasts?lead=` answers: one series a target. */
export const LeadSeriesList = page(LeadSeries).openapi("LeadSeriesList");
export type LeadSeriesList = z.infer<typeof LeadSeriesList>;

export const AccuracyGroup = z
  .object({
    /** "all", the lead, the day (UTC, of the target moment) or the model's key. */
    key: z.string(),
    lead: z.int().nullable(),
    n: z.int(),
    mae: z.number(),
    rmse: z.number(),
    pinball: z.number(),
    coverage: Coverage,
    persistenceMae: z.number().nullable(),
    seasonalNaiveMae: z.number().nullable(),
    skillPersistence: z.number().nullable(),
    skillSeasonalNaive: z.number().nullable(),
  })
  .openapi("AccuracyGroup");
export type AccuracyGroup = z.infer<typeof AccuracyGroup>;
export const AccuracyResponse = z
  .object({
    sensorId: z.string(),
    from: time,
    to: time,
    groupBy: z.enum(["lead", "day", "model"]),
    targets: z.array(
      z.object({
        target: z.string(),
        unit: z.string(),
        overall: AccuracyGroup.nullable(),
        groups: z.array(AccuracyGroup),
      }),
    ),
  })
  .openapi("Accuracy", {
    description:
      "Scores of targetAt in [from, to). `lead` and `day` count served forecasts; `model` every model that ran",
  });
export type AccuracyResponse = z.infer<typeof AccuracyResponse>;

export const Model = z
  .object({
    modelId: z.string(),
    sensorId: z.string(),
    status: z.enum(["challenger", "champion", "retired"]),
    statusReason: z.string(),
    modelSha256: z.string(),
    /** The version of a fleet's network that the model is a part of; null for a network of the sensor's own. */
    fleetId: z.string().nullable(),
    createdAt: time,
    promotedAt: time.nullable(),
    retiredAt: time.nullable(),
    targets: z.array(z.string()),
    stepSeconds: z.int(),
    contextLength: z.int(),
    /** The last of the leads. */
    horizon: z.int(),
    leads,
    training: z.object({
      from: time,
      to: time,
      windows: z.int(),
      seed: z.int(),
      engine: z.string(),
      cpuSeconds: z.number(),
      dataSha256: z.string(),
      /**
       * How a short history was dealt with: what was compared on its own validation windows and kept; null for a long
       * one.
       */
      shortHistory: z
        .object({
          days: z.number(),
          kept: z.enum(["pooled", "own"]),
          reason: z.string(),
          validationWindows: z.int(),
          compared: z.array(z.object({ name: z.string(), mae: z.number(), pinball: z.number() })),
          donors: z.array(z.string()),
          donorWindows: z.int(),
        })
        .nullable(),
    }),
    metrics: z.record(z.string(), z.record(z.string(), z.number())),
    codeVersion: z.string(),
  })
  .openapi("Model");
export type Model = z.infer<typeof Model>;
export const ModelPage = page(Model).openapi("ModelPage");
export type ModelPage = z.infer<typeof ModelPage>;

export const FleetVersion = z
  .object({
    fleetId: z.string(),
    /** The group of sensors that it forecasts; empty: all that are in none. */
    group: z.string(),
    status: z.enum(["challenger", "champion", "retired"]),
    statusReason: z.string(),
    digest: z.string(),
    createdAt: time,
    promotedAt: time.nullable(),
    retiredAt: time.nullable(),
    /** Sensors that it forecasts, and those of which it is a challenger. */
    champions: z.int(),
    challengers: z.int(),
  })
  .openapi("FleetVersion", { description: "A version of a fleet's network; each sensor's model is a part of one" });
export type FleetVersion = z.infer<typeof FleetVersion>;
export const FleetVersionList = z.object({ items: z.array(FleetVersion) }).openapi("FleetVersionList");
export type FleetVersionList = z.infer<typeof FleetVersionList>;

export const ReasonRequest = z
  .object({ reason: Text(500).trim().min(1) })
  .openapi("ReasonRequest", { description: "Why: stored with the model" });
export const TrainAccepted = z
  .object({ sensorId: z.string(), slot: time, status: z.literal("queued") })
  .openapi("TrainAccepted");
export type TrainAccepted = z.infer<typeof TrainAccepted>;

export const OnDemandRequest = z.object({ sensorIds: z.array(Id).min(1).max(100) }).openapi("OnDemandRequest");
export const OnDemandItem = z
  .object({
    sensorId: z.string(),
    /** `queued`: not decided yet when the answer was sent; ask again with the same request. */
    status: z.enum(["issued", "baseline", "refused", "expired", "notFound", "queued"]),
    reason: z.string().nullable(),
    reasonText: z.string().nullable(),
    have: z.int().nullable(),
    need: z.int().nullable(),
    forecasts: z.array(ForecastResponse),
  })
  .openapi("OnDemandItem");
export const OnDemandResponse = z.object({ slot: time, items: z.array(OnDemandItem) }).openapi("OnDemandResponse");
export type OnDemandResponse = z.infer<typeof OnDemandResponse>;

const DeadLetterItem = z.object({
  id: z.string(),
  queue: z.enum(queueNames),
  reason: z.string().nullable().describe("The last fault; null where the process ended without an answer"),
  sentAt: time,
  deadAt: time.nullable().describe("When it was given up; null where the queue does not say"),
  body: z.string().describe("The message as JSON, at most its first 2,000 characters"),
});

export const OpsResponse = z
  .object({
    now: time,
    /** 1 in production; the demo's clock runs faster. */
    clockSpeed: z.number(),
    isDemo: z.boolean(),
    stepSeconds: z.int(),
    /** The last of the leads. */
    horizon: z.int(),
    leads,
    source: z.object({
      newestReadingAt: time.nullable(),
      ageSeconds: z.number().nullable(),
      /** Left out because they are ahead of the clock; at most 1,000 of a sensor are counted. */
      readingsAhead: z.int().nullable(),
      isStandby: z.boolean(),
      isReceiving: z.boolean().nullable(),
      lagBytes: z.number().nullable(),
      error: z.string().nullable(),
    }),
    cycles: z.array(
      z.object({
        slot: time,
        openedAt: time,
        fannedOutAt: time.nullable(),
        sensors: z.int(),
        shards: z.int(),
        issued: z.int(),
        baseline: z.int(),
        refused: z.int(),
        expired: z.int(),
      }),
    ),
    queue: z.array(z.object({ name: z.string(), waiting: z.int(), active: z.int(), failed: z.int() })),
    deadLetters: z
      .object({
        count: z.int(),
        items: z.array(DeadLetterItem),
        error: z.string().nullable().describe("Why they are not known, where they are not"),
      })
      .describe("Messages that failed at every delivery, those sent last first, 20 at most"),
    database: z.object({
      bytes: z.number(),
      tables: z.array(z.object({ name: z.string(), bytes: z.number(), rows: z.number() })),
    }),
    storage: z.object({
      /** What yesterday added that is kept; null before there is a whole day. */
      bytesPerDay: z.number().nullable(),
      /** What goes of it within 24 h. */
      freedPerDay: z.number(),
      limitBytes: z.number().nullable(),
      /** Null without a limit, or where it does not grow. */
      daysToLimit: z.number().nullable(),
      /** Tables with days: how long each is kept, and when the oldest one goes at the earliest. */
      tables: z.array(
        z.object({
          table: z.string(),
          keptDays: z.int(),
          days: z.int(),
          bytes: z.number(),
          oldestDay: z.iso.date(),
          goesAt: time,
          goesBytes: z.number(),
        }),
      ),
      /** The last backup that was read back. */
      backup: z.object({ finishedAt: time, ageSeconds: z.number(), bytes: z.number() }).nullable(),
      archived: z.object({ days: z.int(), bytes: z.number() }),
    }),
    sensors: z.int(),
    codeVersion: z.string(),
  })
  .openapi("Ops");
export type OpsResponse = z.infer<typeof OpsResponse>;

export const HealthResponse = z.object({ status: z.literal("ok"), codeVersion: z.string() }).openapi("Health");
export const ReadyResponse = z.object({ status: z.literal("ready"), newestSlot: time }).openapi("Ready");
