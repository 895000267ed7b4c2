import { once } from "../core/once.ts";
import type { PromotionSettings } from "../core/operations/judge.ts";
import { type PromotePorts, promoteAll } from "../core/operations/promote.ts";
import { promoteFleets } from "../core/operations/promote-fleet.ts";
import { openPromoteRuntime } from "./runtime.ts";

/** The event's time does not matter: every challenger is judged, first the versions of whole fleets. */
export function createPromoteHandler(ports: PromotePorts, settings: PromotionSettings) {
  return async (_event: unknown) => {
    const fleets = await promoteFleets(ports, settings);
    const sensors = await promoteAll(ports, settings, new Set(fleets.map(({ fleetId }) => fleetId)));
    return { fleets, sensors };
  };
}

const start = once(async () => {
  const { ports, settings } = await openPromoteRuntime();
  return createPromoteHandler(ports, settings.promotion);
});

export const handler = async (event: unknown) => (await start())(event);
