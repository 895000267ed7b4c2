import * as z from "zod";
import { LeftOut } from "../annotation/annotation.ts";
import { Target } from "../data/reading.ts";
import { Link } from "./link.ts";

/** Beyond every measurement and every constant made of some; what is larger was put in to do harm. */
const finite = z.number().min(-1e12).max(1e12);
/** What a manifest may ask of who encodes: a week of one-second steps, and lists that people can read. */
const steps = z.int().positive().max(604_800);
const stepList = z.array(steps).max(64);
const name = z.string().max(256);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * What the encoder computes from the grid. One definition for training, backtest, export and serving.
 * All lags, leads and windows are counted in steps.
 */
export const FeatureSpec = z.object({
  version: z.literal(2),
  /** Per target: the scale on which it is encoded and forecast. */
  links: z.array(Link).max(16),
  /** Features that look one day back, and the sequence's channel of the day before. */
  useDay: z.boolean(),
  /** The mean of the last seven days at the same time of day; implies `useDay`. */
  useWeek: z.boolean(),
  /** Past values of the target itself, and of each other target, as changes to the last value. */
  lags: stepList,
  otherLags: stepList,
  /** Leads at which yesterday's change enters, and those at which the 7-day same-time mean enters; within one day. */
  dayLeads: stepList,
  profileLeads: stepList,
  /** Harmonics of the time of day. */
  harmonics: z.int().nonnegative().max(64),
  /** Physical air features (dew point, absolute humidity) when the fleet has both temperature and relative humidity. */
  psychrometric: z.boolean(),
  /** Windows of the branch's volatility features; the last one is also that of its highest and lowest value. */
  volatilityWindows: z.array(steps).max(16),
});
export type FeatureSpec = z.infer<typeof FeatureSpec>;

/**
 * Normalisation constants, fitted on the training range only, on the links' scales.
 * Per target: `mean` and `deviation` of its values, `change` the standard deviation of its 12-step change.
 * `linear` [targets * linear features] and `branch` [extra features]: centre and scale (positive) of each feature.
 */
export const Scaler = z.object({
  mean: z.array(finite).max(16),
  deviation: z.array(finite).max(16),
  change: z.array(finite).max(16),
  linear: z.object({ center: z.array(finite).max(10_000), scale: z.array(finite).max(10_000) }),
  branch: z.object({ center: z.array(finite).max(10_000), scale: z.array(finite).max(10_000) }),
});
export type Scaler = z.infer<typeof Scaler>;

/**
 * How a model came about whose sensor had a short history: what was compared on its own validation windows, and what
 * was kept.
 * `mae` and `pinball` are divided by persistence's (geometric mean over the targets); `donors` are the sensors that
 * lent windows.
 */
export const ShortHistory = z.object({
  days: z.number().positive(),
  kept: z.enum(["pooled", "own"]),
  reason: z.string(),
  validationWindows: z.int().nonnegative(),
  compared: z.array(z.object({ name: z.string(), mae: finite, pinball: finite })),
  donors: z.array(z.string()),
  donorWindows: z.int().nonnegative(),
});
export type ShortHistory = z.infer<typeof ShortHistory>;

/**
 * How the arrays of the ONNX graph are made and read.
 * Inputs, float32: `sequence` [batch, contextLength, channels], `features` [batch, features]: the standardised linear
 * features of every target in turn, then the extra features of the branch; not clipped.
 * Output, float32: `quantiles` [batch, leads, targets, quantiles]: change from the origin's value, on the target's
 * link's scale.
 * Optional output `ridge` of the same shape: the linear expert alone.
 */
export const ModelManifest = z.object({
  formatVersion: z.literal(1),
  modelId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  sensorId: z.string().min(1).max(256),
  targets: z.array(Target).min(1).max(16),
  stepSeconds: z.int().positive().max(86_400),
  contextLength: z.int().positive().max(2_048),
  /**
   * How many leads the output has, and which, in steps, ascending; each step up to `horizon` where they are not listed.
   */
  horizon: z.int().positive().max(2_048),
  leads: z.array(steps).max(2_048).optional(),
  quantiles: z.array(z.number().gt(0).lt(1)).min(1).max(32),
  features: FeatureSpec,
  scaler: Scaler,
  /**
   * Grid steps of history, ending at the origin, that the encoder needs (context plus the days its features look back).
   */
  historyLength: steps,
  training: z.object({
    engine: name,
    seed: z.int(),
    /** First and last grid point of the readings used, inclusive. */
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    dataSha256: sha256,
    windows: z.int().nonnegative(),
    cpuSeconds: z.number().nonnegative(),
    /** Of a part that was renewed: which one, and the first grid point that was new; `dataSha256` is of those alone. */
    renewed: z.object({ of: name, from: z.iso.datetime() }).optional(),
    /** What of the data annotations left out, oldest first; not there where nothing was. */
    leftOut: z.array(LeftOut).max(10_000).optional(),
    /** Only where the history was short and other sensors could lend theirs. */
    shortHistory: ShortHistory.optional(),
  }),
  /**
   * Validation metrics per target, in the target's unit. A fleet's network is fitted once on all that is known and has
   * none of its own: what is judged then is the ridge that it starts from.
   */
  metrics: z.record(
    z.string(),
    z.object({
      mae: finite.optional(),
      pinball: finite.optional(),
      coverage: finite.optional(),
      ridgeMae: finite,
      ridgePinball: finite,
      persistenceMae: finite,
    }),
  ),
  /** The part's, of a sensor that a fleet's network forecasts. */
  modelSha256: sha256,
  /**
   * Whose network it is, if it is a fleet's: version and digest, and the pack in which the sensor's part lies; `group`
   * where the network is that of a group.
   */
  fleet: z.object({ fleetId: name, digest: sha256, pack: sha256, group: name.optional() }).optional(),
  codeVersion: name,
  createdAt: z.iso.datetime(),
});
export type ModelManifest = z.infer<typeof ModelManifest>;

const GoldenCase = z.object({
  origin: z.iso.datetime(),
  readings: z.object({
    at: z.array(z.number()).max(1_000_000),
    values: z.record(z.string(), z.array(finite.nullable()).max(1_000_000)),
  }),
  /** [leads, targets, quantiles], row-major, in the target's unit. */
  quantiles: z.array(finite).max(1_000_000),
});
/** Raw readings in, quantiles out. */
export type GoldenCase = z.infer<typeof GoldenCase>;

/**
 * What the artefact must answer, within `tolerance`, before it may serve: this vector and those in `further`, extreme
 * ones among them.
 */
export const GoldenVector = GoldenCase.extend({
  tolerance: z.number().positive().max(1e6),
  further: z.array(GoldenCase).max(31).optional(),
});
export type GoldenVector = z.infer<typeof GoldenVector>;

/**
 * model.onnx + manifest.json + golden.json; a modelId never changes meaning. `signature`: a publisher's, of their
 * digest, in base64.
 */
export type Artefact = {
  onnx: Uint8Array;
  manifest: ModelManifest;
  golden: GoldenVector;
  signature?: string;
};
