/** How likely a value goes beyond one of its limits before the forecast ends. */
export type CrossingAhead = {
  side: "above" | "below";
  limit: number;
  chance: number;
  /** Around when, if it does; the origin where it is beyond already. */
  crossesAt: Date;
  isBeyond: boolean;
};

/** The likeliest crossing of a sensor's limits within a day; `chance` is 1 where the value is beyond one already. */
export type LikeliestCrossing = CrossingAhead & { target: string; unit: string };
