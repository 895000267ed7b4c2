/** One scheduled pass over the fleet: what was enqueued for its slot, and the outcomes so far. */
export type Cycle = {
  slot: Date;
  openedAt: Date;
  fannedOutAt: Date | null;
  sensors: number;
  shards: number;
  issued: number;
  baseline: number;
  refused: number;
  expired: number;
};

/** A cycle that lacks outcomes; `fannedOutAt` null while its shards are not enqueued whole. */
export type UnfinishedCycle = Pick<Cycle, "slot" | "fannedOutAt">;
