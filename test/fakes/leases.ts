import type { Leases } from "../../core/ports.ts";

/** Leases over a map; one ends by itself when `now` says so. */
export function memoryLeases(now: () => number = Date.now): Leases & { held: Map<string, string> } {
  const held = new Map<string, string>();
  const endsAt = new Map<string, number>();
  return {
    held,
    async acquire(name, holder, ttlSeconds) {
      const isOver = (endsAt.get(name) ?? Number.POSITIVE_INFINITY) <= now();
      if (held.has(name) && held.get(name) !== holder && !isOver) return false;
      held.set(name, holder);
      endsAt.set(name, now() + ttlSeconds * 1000);
      return true;
    },
    async release(name, holder) {
      if (held.get(name) === holder) held.delete(name);
    },
  };
}
