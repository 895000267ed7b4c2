/** What the follower says of itself; null where the database or the role does not tell. */
export type FollowerState = {
  isStandby: boolean;
  isReceiving: boolean | null;
  lagBytes: number | null;
  /** Up to now: readings ahead of the clock are left out, and counted (rows of theirs), at most 1,000 of a sensor. */
  newestReadingAt: Date | null;
  readingsAhead: number;
};
