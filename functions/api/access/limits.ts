import type { Context } from "hono";
import { LRUCache } from "lru-cache";
import { type Bucket, type RateLimit, take } from "../../../core/access/bucket.ts";
import { refuse } from "../problem.ts";

/** Per who asks: reads a second, writes and wrong keys a minute; some at once. */
export type ApiLimits = { readsPerSecond: number; writesPerMinute: number; trainingsPerDay: number };
export const defaultLimits: ApiLimits = { readsPerSecond: 30, writesPerMinute: 30, trainingsPerDay: 200 };

/**
 * Who was seen last is remembered; who was forgotten has a full bucket again, which a flood of addresses cannot help.
 */
const mostRemembered = 20_000;
const burstSeconds = 10;
const wrongKeys: RateLimit = { name: "wrong-keys", capacity: 10, perSecond: 1 / 6 };

export type Limiter = ReturnType<typeof createLimiter>;

/**
 * Token buckets of this process, per key, session or address. Times are monotonic: no clock that is set back opens one.
 */
export function createLimiter({ readsPerSecond, writesPerMinute }: ApiLimits, nowMs = () => performance.now()) {
  const buckets = new LRUCache<string, Bucket>({ max: mostRemembered });
  const reads = { name: "reads", capacity: burstSeconds * readsPerSecond, perSecond: readsPerSecond };
  const writes = { name: "writes", capacity: writesPerMinute, perSecond: writesPerMinute / 60 };

  function spend(who: string, limit: RateLimit, cost: number) {
    const key = `${limit.name} ${who}`;
    const taken = take(buckets.get(key), limit, nowMs(), cost);
    buckets.set(key, taken.bucket);
    return taken;
  }

  return {
    /** Takes one request of `who`; throws 429 when there is none left. Says in either case what is left. */
    request(c: Context, who: string, isWrite: boolean): void {
      const limit = isWrite ? writes : reads;
      const taken = spend(who, limit, 1);
      describe(c, limit, taken.remaining, taken.waitSeconds);
      if (!taken.isAllowed) throw tooMany(c, limit, taken.waitSeconds);
    },
    /** Throws 429 while the address has none left to try. */
    mayTry(c: Context, address: string): void {
      const { isAllowed, waitSeconds } = take(buckets.get(`${wrongKeys.name} ${address}`), wrongKeys, nowMs());
      if (isAllowed) return;
      describe(c, wrongKeys, 0, waitSeconds);
      throw tooMany(c, wrongKeys, waitSeconds);
    },
    /** Notes that a key was wrong. */
    wasWrong(address: string): void {
      spend(address, wrongKeys, 1);
    },
  };
}

/** draft-ietf-httpapi-ratelimit-headers-10: `q` a window of `w` seconds, `r` left, `t` seconds until there is more. */
function describe(c: Context, { name, capacity, perSecond }: RateLimit, remaining: number, waitSeconds: number): void {
  c.header("RateLimit-Policy", `"${name}";q=${capacity};w=${Math.round(capacity / perSecond)}`);
  c.header("RateLimit", `"${name}";r=${remaining};t=${waitSeconds}`);
}

function tooMany(c: Context, { name, capacity, perSecond }: RateLimit, waitSeconds: number) {
  c.header("Retry-After", String(waitSeconds));
  const detail = `${name}: at most ${capacity} in ${Math.round(capacity / perSecond)} s; there is more in ${waitSeconds} s`;
  return refuse(429, { code: "tooMany", detail });
}
