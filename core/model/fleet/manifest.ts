import * as z from "zod";
import { LeftOut } from "../../annotation/annotation.ts";
import { FleetEncoding } from "./encoding.ts";

const name = z.string().max(256);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Sizes of the tensors that a fleet's graph takes and gives. */
export const FleetGraph = z.object({
  contextLength: z.int().positive().max(2_048),
  channels: z.int().positive().max(1_024),
  /** Features of the branch, every target's linear ones first. */
  features: z.int().positive().max(65_536),
  linear: z.int().positive().max(4_096),
  targets: z.int().positive().max(16),
  leads: z.int().positive().max(2_048),
  /** Linear features of a target, and leads, that a sensor's skip is for, where these are not all. */
  skip: z.object({ linear: z.int().positive().max(4_096), leads: z.int().positive().max(2_048) }).optional(),
  quantiles: z.array(z.number().gt(0).lt(1)).min(1).max(32),
});
export type FleetGraph = z.infer<typeof FleetGraph>;

/** A version of a fleet's network: what its graph takes, how that is encoded, and how it came about. */
export const FleetManifest = z.object({
  formatVersion: z.literal(1),
  fleetId: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/),
  /** The group of sensors whose network it is; left out where it is that of all that are in none. */
  group: name.optional(),
  graph: FleetGraph,
  encoding: FleetEncoding,
  /** Networks whose mean is forecast, and the share of ridge beside them. */
  networks: z.int().positive().max(64),
  ridgeShare: z.number().min(0).max(1),
  /** The sensors whose state at the moment is the fleet's context, with the usual change of each of their targets. */
  panel: z
    .array(z.object({ sensorId: z.string().min(1).max(256), change: z.array(z.number().positive().max(1e12)).max(16) }))
    .max(1_000),
  /** SHA-256 of what is expected of sensors to come, where it lies beside the version. */
  prior: sha256.optional(),
  training: z.object({
    engine: name,
    seed: z.int(),
    /** First and last grid point of the readings used, inclusive. */
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    dataSha256: sha256,
    sensors: z.int().positive().max(1e7),
    windows: z.int().positive().max(1e12),
    /** What of its sensors' data annotations left out; not there where nothing was. */
    leftOut: z
      .array(LeftOut.extend({ sensorId: z.string().min(1).max(256) }))
      .max(1_000_000)
      .optional(),
  }),
  codeVersion: name,
  createdAt: z.iso.datetime(),
});
export type FleetManifest = z.infer<typeof FleetManifest>;

/** A fleet's version as it is registered. */
export type FleetVersion = { fleetId: string; digest: string };
