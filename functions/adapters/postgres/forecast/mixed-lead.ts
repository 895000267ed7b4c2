import type { Triple } from "../../../../core/data/quantiles.ts";

/** What was said of one lead of one target; weights, widths and the middle's move as in Mix. */
export type MixedLead = {
  experts: (Triple | null)[];
  weights: number[];
  widths: [lower: number, upper: number];
  middle: number;
  seasonalNaive: number | null;
};
