import type { NetworkShape } from "../layout.ts";

/**
 * Ridge from the unclipped standardised linear features: `weights` [targets, linear, horizon], `bias` [targets,
 * horizon], on the link's scale.
 */
export type LinearMap = { weights: ArrayLike<number>; bias: ArrayLike<number> };

/** One trained net of the blend. */
export type ExportMember = {
  /** As `Network.weights` gives them. */
  weights: Float32Array;
  /** Its part of the blend; all shares, ridge's included, add up to 1. */
  share: number;
  /** The ridge that this net was trained on top of. */
  ridge: LinearMap;
  /** [horizon, targets], on the link's scale. */
  residualScale: ArrayLike<number>;
  /** [horizon, targets, quantiles - 1], as in `Network.reset`. */
  initialWidths: ArrayLike<number>;
};

/** `residualQuantiles` [horizon, targets, quantiles], on the link's scale: what ridge alone adds to its own value. */
export type ExportRidge = LinearMap & { share: number; residualQuantiles: ArrayLike<number> };

export type ExportInput = { shape: NetworkShape; members: ExportMember[]; ridge: ExportRidge };
