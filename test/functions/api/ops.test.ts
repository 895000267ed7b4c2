import { setTimeout as sleep } from "node:timers/promises";
import { PgBoss } from "pg-boss";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { addSeconds } from "../../../core/time.ts";
import { HealthResponse, OpsResponse, ReadyResponse } from "../../../functions/api/contract/ops.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { getAs, getProblem, outcomeOf, startApi, stepSeconds, type TestApi } from "./harness.ts";

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

const followerAway = async () => {
  throw new AppError("followerUnavailable", "follower database: connect ECONNREFUSED 10.0.0.7:5432");
};

async function openCycle(slot: Date) {
  await api.ledger.openCycle({ slot, sensors: 3, shards: 1, now: slot });
}

describe("GET /v1/ops", () => {
  it("shows the source, the cycles with their outcomes, and what the database holds", async () => {
    api = await startApi(postgres);
    await api.ledger.rememberSensors(["a", "b", "c"], someSlot);
    await openCycle(addSeconds(someSlot, -stepSeconds));
    await openCycle(someSlot);
    await api.ledger.closeFanOut(someSlot, addSeconds(someSlot, 1));
    await api.ledger.record(
      [
        outcomeOf({ sensorId: "a" }),
        outcomeOf({ sensorId: "b", status: "baseline", reason: "noModel" }),
        outcomeOf({ sensorId: "c", status: "refused", reason: "gap", have: 1, need: 2 }),
      ],
      [],
    );
    const newestReadingAt = addSeconds(someSlot, -42);
    api.follower.state = async () => ({
      isStandby: true,
      isReceiving: true,
      lagBytes: 7,
      newestReadingAt,
      readingsAhead: 3,
    });

    const ops = await getAs(api.app, "/v1/ops", OpsResponse);

    expect(ops).toMatchObject({
      now: someSlot.toISOString(),
      sensors: 3,
      source: {
        newestReadingAt: newestReadingAt.toISOString(),
        ageSeconds: 42,
        readingsAhead: 3,
        lagBytes: 7,
        error: null,
      },
      queue: [],
    });
    expect(ops.cycles[0]).toEqual({
      slot: someSlot.toISOString(),
      openedAt: someSlot.toISOString(),
      fannedOutAt: addSeconds(someSlot, 1).toISOString(),
      sensors: 3,
      shards: 1,
      issued: 1,
      baseline: 1,
      refused: 1,
      expired: 0,
    });
    expect(ops.cycles).toHaveLength(2);
    expect(ops.database.bytes).toBeGreaterThan(1e6);
    expect(ops.storage).toMatchObject({ bytesPerDay: null, limitBytes: 1e12, daysToLimit: null, backup: null });
    expect(ops.storage.archived).toEqual({ days: 0, bytes: 0 });
    expect(ops.database.tables.map((table) => table.name)).toEqual(
      expect.arrayContaining(["sensor", "model", "cycle", "outcome", "issued", "scored_moment"]),
    );
  });

  it("shows dead letters with reason, age and message, long ones cut", async () => {
    const body = { sensorIds: Array.from({ length: 5_000 }, (_, i) => `sensor-${i}`) };
    const item = { id: "m1", queue: "forecast" as const, reason: null, sentAt: someSlot, deadAt: null, body };
    api = await startApi(postgres);
    api.services.ports.deadLetters = { list: async () => ({ count: 71, first: [item] }) };
    const { deadLetters } = await getAs(api.app, "/v1/ops", OpsResponse);
    const text = JSON.stringify(body).slice(0, 2_000);
    expect(deadLetters).toEqual({
      ...{ count: 71, error: null },
      items: [{ ...item, sentAt: someSlot.toISOString(), body: text }],
    });
  });

  it("answers with all the rest where the queue does not, and says so", async () => {
    api = await startApi(postgres);
    api.services.ports.deadLetters = {
      list: async () => {
        throw new AppError("queueUnavailable", "the dead letters on SQS did not answer: https://sqs.internal/1");
      },
    };
    const { deadLetters, sensors } = await getAs(api.app, "/v1/ops", OpsResponse);
    expect({ deadLetters, sensors }).toEqual({
      deadLetters: { count: 0, items: [], error: "The queue does not answer" },
      sensors: 0,
    });
  });

  it("counts the jobs of pg-boss where it lives in the database", async () => {
    const url = await postgres.createPredictorDatabase();
    api = await startApi(postgres, { url });
    const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false, max: 2 });
    await boss.start();
    try {
      await boss.createQueue("forecast");
      await boss.send("forecast", { n: 1 });
      await boss.send("forecast", { n: 2 });
      await boss.fetch("forecast");
      const { queue } = await getAs(api.app, "/v1/ops", OpsResponse);
      expect(queue).toEqual([{ name: "forecast", waiting: 1, active: 1, failed: 0 }]);
    } finally {
      await boss.stop({ graceful: false });
    }
  });

  it("shows a source that is away instead of failing", async () => {
    api = await startApi(postgres);
    api.follower.state = followerAway;
    const { source } = await getAs(api.app, "/v1/ops", OpsResponse);
    expect(source).toMatchObject({ newestReadingAt: null, error: "followerUnavailable" });
  });

  it("does not ask a follower that takes long for every answer", async () => {
    api = await startApi(postgres);
    await api.ledger.openCycle({ slot: someSlot, sensors: 1, shards: 1, now: someSlot });
    await api.ledger.closeFanOut(someSlot, someSlot);
    await api.ledger.record([outcomeOf()], []);
    const { state } = api.follower;
    let asked = 0;
    api.follower.state = async () => {
      asked++;
      await sleep(200);
      return state();
    };
    for (let i = 0; i < 5; i++) await getAs(api.app, "/v1/ops", OpsResponse);
    expect(asked).toBe(1);
  });
});

describe("probes", () => {
  it("is healthy whatever the databases do", async () => {
    api = await startApi(postgres);
    api.follower.answers = followerAway;
    expect(await getAs(api.app, "/healthz", HealthResponse)).toEqual({ status: "ok", codeVersion: "test" });
  });

  it("is ready while the newest cycle is fresh, and names what is not", async () => {
    api = await startApi(postgres);
    const paths = async () => (await getProblem(api.app, "/readyz", 503)).errors?.map((error) => error.path);
    expect(await paths()).toEqual(["cycle"]);
    await openCycle(someSlot);
    await api.ledger.closeFanOut(someSlot, someSlot);
    expect(await paths()).toEqual(["cycle"]);
    await api.ledger.record(
      ["a", "b"].map((sensorId) => outcomeOf({ sensorId, slot: someSlot })),
      [],
    );
    expect(await paths()).toEqual(["cycle"]);
    await api.ledger.record([outcomeOf({ sensorId: "c", slot: someSlot })], []);
    const tomorrow = addSeconds(someSlot, 86_400);
    await api.ledger.openCycle({ slot: tomorrow, sensors: 0, shards: 0, now: tomorrow });
    await api.ledger.closeFanOut(tomorrow, tomorrow);
    expect(await getAs(api.app, "/readyz", ReadyResponse)).toEqual({
      status: "ready",
      newestSlot: someSlot.toISOString(),
    });
    api.clock.advance(2 * stepSeconds);
    await getAs(api.app, "/readyz", ReadyResponse);
    api.clock.advance(1);
    expect(await paths()).toEqual(["cycle"]);
    api.follower.answers = followerAway;
    expect(await paths()).toEqual(["follower", "cycle"]);
  });

  it("takes a cycle's end for its outcomes, and counts those of newer ones only where it must", async () => {
    api = await startApi(postgres);
    const earlier = addSeconds(someSlot, -stepSeconds);
    for (const slot of [earlier, someSlot]) {
      await api.ledger.openCycle({ slot, sensors: 1, shards: 1, now: slot });
      await api.ledger.closeFanOut(slot, slot);
      await api.ledger.record([outcomeOf({ slot })], []);
    }
    await api.ledger.finishCycles(earlier, someSlot);
    const newest = async () => (await getAs(api.app, "/readyz", ReadyResponse)).newestSlot;
    expect(await newest()).toBe(earlier.toISOString());
    api.clock.advance(stepSeconds + 1);
    expect(await newest()).toBe(someSlot.toISOString());
  });

  it("is not ready while the predictor database is away", async () => {
    api = await startApi(postgres);
    api.services.views.newestDoneSlot = async () => {
      throw new AppError("predictorUnavailable", "predictor database: connect ECONNREFUSED 10.0.0.8:5432");
    };
    const problem = await getProblem(api.app, "/readyz", 503);
    expect(problem.errors).toEqual([{ path: "predictor", message: "does not answer" }]);
  });

  it("says what a source means that answers, but not as the mapping says, and which server of its own is down", async () => {
    api = await startApi(postgres);
    api.follower.answers = async () => {
      throw new AppError("misconfigured", 'column "secret_name" does not exist');
    };
    api.services.troubles = async () => ({
      "embedded predictor": "does not start, tried 9 times: no space left on device",
    });
    const { errors, detail } = await getProblem(api.app, "/readyz", 503);
    expect(errors?.[0]).toEqual({ path: "follower", message: expect.stringContaining("check-source") });
    expect(errors?.map(({ message }) => message).join()).toContain("tried 9 times");
    expect(detail).not.toContain("secret_name");
  });
});
