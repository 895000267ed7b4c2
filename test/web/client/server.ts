import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createSite, listen } from "../../../functions/machine/server.ts";
import { someSlot } from "../../builders.ts";
import { forecastsOf, outcomeOf, startApi } from "../../functions/api/harness.ts";
import { hostileIds } from "../../hostile-ids.ts";
import type { TestPostgres } from "../../postgres.ts";

/** The API with sensors that have a forecast each, listening. */
export async function startListening(postgres: TestPostgres, options: Parameters<typeof startApi>[1] = {}) {
  const api = await startApi(postgres, options);
  await api.ledger.openCycle({ slot: someSlot, sensors: hostileIds.length, shards: 1, now: someSlot });
  await api.ledger.rememberSensors(hostileIds, someSlot);
  await api.ledger.record(
    hostileIds.map((sensorId) => outcomeOf({ sensorId })),
    hostileIds.flatMap((sensorId) => forecastsOf({ sensorId })),
  );
  const site = createSite((request, env) => api.app.fetch(request, env), "/nowhere", { host: "127.0.0.1", names: [] });
  const server = await listen(site.fetch, { host: "127.0.0.1", port: 0 });
  const close = async () => {
    await server.close();
    await api.close();
  };
  return { ...api, url: server.url, close };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers the first request by the first of `answers`, and so on; the last one goes on answering. */
export async function startScripted(answers: Answer[]) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push(`${request.method} ${request.url}`);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
