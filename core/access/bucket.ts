/** How much of something is allowed: `capacity` at once, `perSecond` in the long run. */
export type RateLimit = { name: string; capacity: number; perSecond: number };

/** What was left at a moment, in milliseconds of any clock that only runs forward. */
export type Bucket = { tokens: number; atMs: number };

/** `bucket` is how it is left; `waitSeconds` is 0 when it was allowed. */
export type Taken = { isAllowed: boolean; bucket: Bucket; remaining: number; waitSeconds: number };

/** Takes `cost` from a token bucket that fills as time passes; without a bucket it is full. A refusal takes nothing. */
export function take(bucket: Bucket | undefined, limit: RateLimit, nowMs: number, cost = 1): Taken {
  const { capacity, perSecond } = limit;
  const elapsedSeconds = bucket === undefined ? 0 : Math.max(0, nowMs - bucket.atMs) / 1000;
  const filled = Math.min(capacity, (bucket?.tokens ?? capacity) + elapsedSeconds * perSecond);
  const isAllowed = filled >= cost;
  const tokens = isAllowed ? filled - cost : filled;
  return {
    isAllowed,
    bucket: { tokens, atMs: nowMs },
    remaining: Math.floor(tokens),
    waitSeconds: isAllowed ? 0 : Math.ceil((cost - filled) / perSecond),
  };
}
