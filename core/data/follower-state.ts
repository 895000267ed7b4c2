/** What the follower says of itself; null where the database or the role does not tell. */
export type FollowerState = {
  isStandby: boolean;
  isReceiving: boolean | null;
  lagBytes: number | null;
  newestReadingAt: Date | null;
};
