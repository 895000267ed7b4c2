import type { PromotionSettings } from "../core/operations/judge.ts";
import { type PromotePorts, promoteAll } from "../core/operations/promote.ts";
import { once } from "./lambda/once.ts";
import { openPromoteRuntime } from "./runtime.ts";

/** The event's time does not matter: every challenger is judged. */
export function createPromoteHandler(ports: PromotePorts, settings: PromotionSettings) {
  return (_event: unknown) => promoteAll(ports, settings);
}

const start = once(async () => {
  const { ports, settings } = await openPromoteRuntime();
  return createPromoteHandler(ports, settings.promotion);
});

export const handler = async (event: unknown) => (await start())(event);
