import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bucket, take } from "../../../core/access/bucket.ts";

const limit = { name: "reads", capacity: 3, perSecond: 0.5 };

/** Takes at these moments, in seconds, from one bucket. */
function takeAt(...seconds: number[]) {
  let bucket: Bucket | undefined;
  return seconds.map((second) => {
    const taken = take(bucket, limit, second * 1000);
    bucket = taken.bucket;
    return taken;
  });
}

describe("a token bucket", () => {
  it("gives its capacity at once, then as much as time brings", () => {
    const taken = takeAt(0, 0, 0, 0, 1, 2, 2, 100, 100, 100, 100);
    expect(taken.map((one) => one.isAllowed)).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
    expect(taken.map((one) => one.remaining)).toEqual([2, 1, 0, 0, 0, 0, 0, 2, 1, 0, 0]);
    expect(taken.map((one) => one.waitSeconds)).toEqual([0, 0, 0, 2, 1, 0, 2, 0, 0, 0, 2]);
  });

  it("gives what it said once the wait is over", () => {
    const [, , , refused] = takeAt(0, 0, 0, 0);
    expect(take(refused!.bucket, limit, refused!.waitSeconds * 1000).isAllowed).toBe(true);
  });

  it("never gives more than its capacity and its rate allow, whatever the clock does", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 20_000 }), { maxLength: 100 }), (steps) => {
        let bucket: Bucket | undefined;
        let nowMs = 0;
        let forwardMs = 0;
        let given = 0;
        for (const step of steps) {
          nowMs += step;
          forwardMs += Math.max(0, step);
          const taken = take(bucket, limit, nowMs);
          bucket = taken.bucket;
          if (taken.isAllowed) given++;
        }
        expect(given).toBeLessThanOrEqual(limit.capacity + (forwardMs / 1000) * limit.perSecond);
      }),
    );
  });
});
