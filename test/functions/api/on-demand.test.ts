import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ForecastMessage } from "../../../core/messages.ts";
import { addSeconds } from "../../../core/time.ts";
import { OnDemandResponse } from "../../../functions/api/contract/forecasts.ts";
import { readingsOf, someSlot, wave } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, getAs, getProblem, outcomeOf, post, startApi, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;

beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterEach(async () => {
  await api.close();
});
afterAll(async () => {
  await postgres.stop();
});

/** An API that computes by storing: "short" is refused, every other sensor is issued. */
async function start(asked: ForecastMessage[], after?: Promise<void>) {
  const readings = new Map([["fresh", readingsOf({ temperature: wave(50) })]]);
  api = await startApi(postgres, {
    readings,
    settings: { onDemandWaitMs: after ? 60_000 : 0 },
    services: {
      async requestForecasts(message) {
        asked.push(message);
        const compute = () =>
          api.ledger.record(
            message.sensorIds.map((sensorId) =>
              sensorId === "short"
                ? outcomeOf({
                    sensorId,
                    slot: message.slot,
                    status: "refused",
                    reason: "shortHistory",
                    have: 3,
                    need: 40,
                  })
                : outcomeOf({ sensorId, slot: message.slot }),
            ),
            message.sensorIds
              .filter((sensorId) => sensorId !== "short")
              .flatMap((sensorId) => forecastsOf({ sensorId, slot: message.slot, origin: message.slot })),
          );
        if (after) void after.then(compute);
        else await compute();
      },
    },
  });
  await api.ledger.rememberSensors(["a", "short"], someSlot);
}

const request = (sensorIds: unknown, status = 200) =>
  getAs(api.app, "/v1/forecasts", OnDemandResponse, { ...post({ sensorIds }), status });

describe("POST /v1/forecasts", () => {
  it("gives each sensor its own status", async () => {
    await start([]);
    const { slot, items } = await request(["a", "short", "ghost", "fresh", "a"]);
    expect(slot).toBe(someSlot.toISOString());
    expect(items.map(({ sensorId, status, have, need }) => [sensorId, status, have, need])).toEqual([
      ["a", "issued", null, null],
      ["short", "refused", 3, 40],
      ["ghost", "notFound", null, null],
      ["fresh", "issued", null, null],
    ]);
    expect(items.map((item) => item.forecasts.map(({ target }) => target))).toEqual([
      ["temperature", "humidity"],
      [],
      [],
      ["temperature", "humidity"],
    ]);
  });

  it("computes a slot once however often it is asked", async () => {
    const asked: ForecastMessage[] = [];
    await start(asked);
    const first = await request(["a"]);
    api.clock.advance(300);
    expect(await request(["a"])).toEqual(first);
    expect(asked).toEqual([{ slot: someSlot, sensorIds: ["a"] }]);
    api.clock.advance(300);
    expect((await request(["a"])).slot).toBe(addSeconds(someSlot, 600).toISOString());
    expect(asked).toHaveLength(2);
  });

  it("answers 202 while the queue has not come to it", async () => {
    api = await startApi(postgres);
    await api.ledger.rememberSensors(["a"], someSlot);
    const { items } = await request(["a"], 202);
    expect(items).toMatchObject([{ sensorId: "a", status: "queued", forecasts: [] }]);
  });

  it("waits for a forecast that is computed elsewhere", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const asked: ForecastMessage[] = [];
    await start(asked, promise);
    const answer = request(["a"]);
    await expect.poll(() => asked.length).toBe(1);
    resolve();
    expect((await answer).items[0]!.status).toBe("issued");
  });

  it.each([
    [{}, "sensorIds"],
    [{ sensorIds: [] }, "sensorIds"],
    [{ sensorIds: [""] }, "sensorIds.0"],
    [{ sensorIds: ["a\0"] }, "sensorIds.0"],
    [{ sensorIds: ["\ud800"] }, "sensorIds.0"],
    [{ sensorIds: [7] }, "sensorIds.0"],
    [{ sensorIds: ["x".repeat(257)] }, "sensorIds.0"],
    [{ sensorIds: Array(101).fill("a") }, "sensorIds"],
    [[], ""],
  ])("refuses the body %j and names the field", async (body, path) => {
    await start([]);
    const problem = await getProblem(api.app, "/v1/forecasts", 422, post(body));
    expect(problem.errors?.[0]?.path).toBe(path);
  });

  it("refuses what is not JSON, not sent as JSON or too large", async () => {
    await start([]);
    const send = (body: string | Uint8Array<ArrayBuffer>, type: string | null) =>
      ({ method: "POST", body, headers: type === null ? {} : { "Content-Type": type } }) satisfies RequestInit;
    await getProblem(api.app, "/v1/forecasts", 400, send("{", "application/json"));
    await getProblem(api.app, "/v1/forecasts", 415, send("{}", "text/plain"));
    await getProblem(api.app, "/v1/forecasts", 415, send(new TextEncoder().encode("{}"), null));
    const large = send(JSON.stringify({ sensorIds: ["x".repeat(1e6)] }), "application/json");
    expect(await getProblem(api.app, "/v1/forecasts", 413, large)).toMatchObject({ code: "bodyTooLarge" });
  });
});
