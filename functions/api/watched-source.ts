import type { FollowerState } from "../../core/data/follower-state.ts";
import type { ApiServices } from "./services.ts";

/** What takes longer than this grows with the fleet: every sensor's newest reading is looked at. */
const longMs = 150;
/** A state that took long to ask for is kept so many times longer, but never beyond `mostKeptMs`. */
const restFactor = 20;
const mostKeptMs = 30_000;

/**
 * The services with a follower whose state is at hand however many sensors it has: what took long is given again while
 * it is asked for anew. A follower that has gone is noticed by the request after.
 */
export function withWatchedSource(services: ApiServices): ApiServices {
  const { follower } = services.ports;
  let known: { state: FollowerState; askAgainMs: number; untilMs: number } | null = null;
  let asking: Promise<FollowerState> | null = null;

  function ask(): Promise<FollowerState> {
    const beganMs = performance.now();
    asking ??= follower
      .state()
      .then((state) => {
        const endedMs = performance.now();
        const tookMs = endedMs - beganMs;
        const askAgainMs = endedMs + Math.min(restFactor * tookMs, mostKeptMs);
        known = tookMs < longMs ? null : { state, askAgainMs, untilMs: endedMs + 2 * mostKeptMs };
        return state;
      })
      .catch((error: unknown) => {
        known = null;
        throw error;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  }

  async function state(): Promise<FollowerState> {
    const nowMs = performance.now();
    if (known === null || nowMs > known.untilMs) return ask();
    // Whoever fails here is asked for again by the next request, which hears of it.
    if (nowMs > known.askAgainMs) void ask().catch(() => {});
    return known.state;
  }
  const watched: ApiServices["ports"]["follower"] = Object.create(follower, { state: { value: state } });
  const ports: ApiServices["ports"] = Object.create(services.ports, { follower: { value: watched } });
  return Object.create(services, { ports: { value: ports } });
}
