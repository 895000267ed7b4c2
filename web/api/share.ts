import { createClient, type Share, type SharedChart } from "../client/client.ts";
import { type Answer, api, apiUrl, settle } from "./client.ts";

export type { Share, SharedChart };

/** A link that shows one chart to whoever has it. */
export function shareChart(sensorId: string, target: string, expiresInSeconds: number): Promise<Answer<Share>> {
  const body = { target, expiresInSeconds };
  return settle(api.post("/v1/sensors/{id}:share", { path: { id: sensorId }, body }));
}

/** The chart of a link's token. */
export function getSharedChart(token: string, signal: AbortSignal): Promise<Answer<SharedChart>> {
  const client = createClient({ url: apiUrl, key: token, retries: 0, keptAnswers: 0 });
  return settle(client.get("/v1/shared-chart", { signal }));
}
