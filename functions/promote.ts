import type { PromotionSettings } from "../core/operations/judge.ts";
import { type Promotion, promote } from "../core/operations/promote.ts";
import type { Ports } from "../core/ports.ts";
import { once } from "./lambda/once.ts";
import { openPromoteRuntime } from "./runtime.ts";

type PromotePorts = Pick<Ports, "clock" | "log" | "registry" | "scores">;

const pageSize = 200;

/** Judges every challenger there is, page by page; the event's time does not matter. */
export function createPromoteHandler(ports: PromotePorts, settings: PromotionSettings) {
  return async (_event: unknown): Promise<Promotion[]> => {
    const decided: Promotion[] = [];
    const seen = new Set<string>();
    for (let after: string | undefined; ; ) {
      const filter = { status: "challenger" as const, limit: pageSize, ...(after ? { after } : {}) };
      const page = await ports.registry.list(filter);
      const sensorIds = page.map((model) => model.sensorId).filter((sensorId) => !seen.has(sensorId));
      for (const sensorId of sensorIds) seen.add(sensorId);
      decided.push(...(await promote(ports, settings, [...new Set(sensorIds)])));
      after = page.at(-1)?.modelId;
      if (page.length < pageSize) return decided;
    }
  };
}

const start = once(async () => {
  const { ports, settings } = await openPromoteRuntime();
  return createPromoteHandler(ports, settings.promotion);
});

export const handler = async (event: unknown) => (await start())(event);
