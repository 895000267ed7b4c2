import type { MiddlewareHandler } from "hono";
import { ruleOf } from "./access/guard.ts";
import { refuse } from "./problem.ts";

export type Lanes = {
  /** Requests handled at a time. */
  places: number;
  /** Heavy reads handled at a time, and those that wait for one of these places. */
  heavyPlaces: number;
  heavyWaiting: number;
};
export const defaultLanes: Lanes = { places: 32, heavyPlaces: 3, heavyWaiting: 64 };

/**
 * Bounds what is handled at a time, so that a flood cannot pile up: beyond it 503, at once. Heavy reads (the table says
 * which) go one behind the other in a lane of their own: however many there are, a light request and a forecast cycle
 * wait for a few of them at most. Probes pass.
 */
export function boundInFlight({ places, heavyPlaces, heavyWaiting }: Lanes): MiddlewareHandler {
  const light = createLane(places, 0);
  const heavy = createLane(heavyPlaces, heavyWaiting);
  return async (c, next) => {
    const rule = ruleOf(c);
    if (rule?.isProbe) return next();
    const lane = rule?.isHeavy ? heavy : light;
    if (!(await lane.enter())) {
      throw refuse(503, { code: "overloaded", detail: `${lane.places} requests are being handled already; try again` });
    }
    try {
      await next();
    } finally {
      lane.leave();
    }
  };
}

function createLane(places: number, mostWaiting: number) {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    places,
    /** True once there is a place; false at once when too many wait already. */
    async enter(): Promise<boolean> {
      if (taken < places) {
        taken++;
        return true;
      }
      if (waiting.length >= mostWaiting) return false;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return true;
    },
    /** Hands the place to who has waited longest. */
    leave(): void {
      const next = waiting.shift();
      if (next) next();
      else taken--;
    },
  };
}
