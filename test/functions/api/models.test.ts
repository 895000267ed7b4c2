import { describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { TrainMessage } from "../../../core/messages.ts";
import { addSeconds } from "../../../core/time.ts";
import {
  FleetVersion,
  FleetVersionList,
  Model,
  ModelPage,
  TrainAccepted,
  Trial,
} from "../../../functions/api/contract/models.ts";
import { artefactOf } from "../../artefacts.ts";
import { manifestOf, someSlot } from "../../builders.ts";
import { getAs, getProblem, post, scoreOf, stepSeconds, type TestApi } from "./harness.ts";
import { apiStarter } from "./starter.ts";

const start = apiStarter();
let api: TestApi;

/** Models m0, m1, ... of sensor "a", registered a minute apart. */
async function register(count: number, sensorId = "a") {
  for (let index = 0; index < count; index++) {
    const manifest = manifestOf({ modelId: `m${index}`, sensorId, modelSha256: String(index % 10).repeat(64) });
    await api.registry.register({ manifest, statusReason: "trained", now: addSeconds(someSlot, index * 60) });
  }
}

/** A model whose real artefact lies in the store. */
async function admitReal(modelId: string, seed: number) {
  const artefact = await artefactOf({ modelId, sensorId: "a" }, seed);
  await api.store.put(artefact);
  await api.registry.register({ manifest: artefact.manifest, statusReason: "trained", now: api.clock.now() });
  return artefact;
}

const promote = (modelId: string, status = 200) =>
  getAs(api.app, `/v1/models/${modelId}:promote`, Model, { ...post({ reason: "looks better" }), status });

describe("GET /v1/models/{id}/trial", () => {
  /** Scores of both at `moments` moments; the challenger's losses are `share` of the champion's. */
  async function score(moments: number, share: number) {
    await register(2);
    await api.registry.promote("m0", "first", someSlot);
    for (let i = 1; i <= moments; i++) {
      const targetAt = addSeconds(someSlot, i * stepSeconds);
      const loss = 0.2 + 0.05 * Math.sin(i);
      const at = (modelKey: string, pinball: number) =>
        scoreOf({ modelKey, targetAt, ownPinball: Array.from({ length: 24 }, () => pinball) });
      await api.scores.record([at("m0", loss), at("m1", share * loss)]);
    }
  }

  it("has the losses and what would be decided on them, and decides nothing", async () => {
    api = await start();
    await score(300, 0.8);
    const trial = await getAs(api.app, "/v1/models/m1/trial", Trial);
    expect(trial).toMatchObject({ modelId: "m1", againstId: "m0", decision: "promote", minimumMoments: 288 });
    expect(trial.moments).toBe(300);
    expect(trial.lossRatio).toBeCloseTo(0.8, 6);
    expect(trial.reason).toMatch(/^won, p = .*300 moments, loss 80.0 % of the champion's$/);
    expect(trial.days.reduce((sum, { moments }) => sum + moments, 0)).toBe(300);
    for (const { champion, challenger } of trial.days) expect(challenger / champion).toBeCloseTo(0.8, 6);
    expect((await getAs(api.app, "/v1/models/m1", Model)).status).toBe("challenger");
  });

  it("says how many moments are wanted still, and answers before the first", async () => {
    api = await start();
    await score(3, 1);
    expect(await getAs(api.app, "/v1/models/m1/trial", Trial)).toMatchObject({
      decision: "keep",
      reason: "3 of 288 paired moments; waits for scores",
    });
    const manifest = manifestOf({ modelId: "new", sensorId: "a" });
    await api.registry.register({ manifest, statusReason: "trained", now: addSeconds(someSlot, 90_000) });
    const none = { moments: 0, lossRatio: null, coverage: null, days: [] };
    expect(await getAs(api.app, "/v1/models/new/trial", Trial)).toMatchObject(none);
  });

  it("holds a challenger without champion against persistence", async () => {
    api = await start();
    await register(1);
    await api.scores.record([scoreOf({ modelKey: "m0", targetAt: addSeconds(someSlot, stepSeconds) })]);
    const trial = await getAs(api.app, "/v1/models/m0/trial", Trial);
    expect(trial).toMatchObject({ againstId: null, moments: 1, lossRatio: expect.closeTo(0.4, 6) });
  });

  it("is refused for what is not on trial, and for what there is not", async () => {
    api = await start();
    await register(1);
    await api.registry.promote("m0", "first", someSlot);
    expect((await getProblem(api.app, "/v1/models/m0/trial", 409)).detail).toContain("it is champion (first)");
    await getProblem(api.app, "/v1/models/nobody/trial", 404);
  });
});

describe("GET /v1/models", () => {
  it("joins its pages, newest first, to the full set while models are added", async () => {
    api = await start();
    await register(7);
    const seen: string[] = [];
    let query = "?limit=2";
    for (let round = 0; ; round++) {
      const page = await getAs(api.app, `/v1/models${query}`, ModelPage);
      seen.push(...page.items.map((model) => model.modelId));
      if (page.nextCursor === null) break;
      query = `?limit=2&cursor=${page.nextCursor}`;
      const manifest = manifestOf({ modelId: `later-${round}`, sensorId: "b" });
      await api.registry.register({ manifest, statusReason: "trained", now: addSeconds(someSlot, 9999 + round) });
    }
    expect(seen).toEqual(["m6", "m5", "m4", "m3", "m2", "m1", "m0"]);
  });

  it("filters by sensor and status", async () => {
    api = await start();
    await register(3);
    await api.registry.promote("m1", "better", someSlot);
    const ids = async (query: string) =>
      (await getAs(api.app, `/v1/models?${query}`, ModelPage)).items.map((model) => model.modelId);
    expect(await ids("status=champion")).toEqual(["m1"]);
    expect(await ids("status=challenger&sensorId=a")).toEqual(["m2", "m0"]);
    expect(await ids("sensorId=b")).toEqual([]);
    await getProblem(api.app, "/v1/models?status=best", 422);
    expect(await ids("q=M1%20Better")).toEqual(["m1"]);
    expect(await ids("q=m&status=challenger")).toEqual(["m2", "m0"]);
    expect(await ids("q=nobody")).toEqual([]);
  });

  it("gives one model with its receipt and without its scaler", async () => {
    api = await start();
    await register(1);
    const response = await api.app.request("/v1/models/m0");
    const body = await response.json();
    expect(Model.parse(body)).toMatchObject({ modelId: "m0", status: "challenger", training: { seed: 1 } });
    expect(body).not.toHaveProperty("scaler");
    await getProblem(api.app, "/v1/models/m9", 404);
  });
});

describe("changing which model serves", () => {
  it("promotes with a reason, and rolls back to the champion before", async () => {
    api = await start();
    await admitReal("m0", 1);
    await admitReal("m1", 2);
    await promote("m0");
    api.clock.advance(600);
    expect(await promote("m1")).toMatchObject({ status: "champion", statusReason: "looks better" });
    expect(await getAs(api.app, "/v1/models/m0", Model)).toMatchObject({ status: "retired" });
    api.clock.advance(600);
    const back = await getAs(api.app, "/v1/sensors/a:rollback", Model, post({ reason: "was worse at night" }));
    expect(back).toMatchObject({ modelId: "m0", status: "champion", statusReason: "was worse at night" });
    const problem = await getProblem(api.app, "/v1/sensors/a:rollback", 409, post({ reason: "again" }));
    expect(problem.code).toBe("conflict");
    const { lines } = api.log;
    expect(lines.filter(({ event }) => event.startsWith("model.")).map(({ event }) => event)).toEqual([
      "model.promoted",
      "model.promoted",
      "model.rolledBack",
    ]);
  });

  it("promotes only what still is what was registered", async () => {
    api = await start();
    await register(1);
    const { onnx, golden } = await admitReal("m1", 1);
    const { manifest } = await admitReal("m2", 2);
    // What somebody put into the store behind our back.
    const changed = onnx.map((byte, i) => (i === onnx.length - 9 ? byte ^ 1 : byte));
    api.store.artefacts.set("m2", { onnx: changed, manifest, golden });
    await admitReal("m3", 3);
    api.store.artefacts.set("m3", await artefactOf({ modelId: "m3", sensorId: "a" }, 4));
    for (const [modelId, why] of [
      ["m0", /not in the model store/],
      ["m2", /m2 is not promoted: .*sha256/],
      ["m3", /the store has sha256 \w{64}, registered is/],
    ] as const) {
      const problem = await getProblem(api.app, `/v1/models/${modelId}:promote`, 422, post({ reason: "trust me" }));
      expect(problem).toMatchObject({ code: "artefactRejected", detail: expect.stringMatching(why) });
      expect(await getAs(api.app, `/v1/models/${modelId}`, Model)).toMatchObject({ status: "challenger" });
    }
  });

  it("wants a reason", async () => {
    api = await start();
    await register(1);
    for (const body of [
      {},
      { reason: "" },
      { reason: "   " },
      { reason: "x".repeat(501) },
      { reason: 7 },
      { reason: "a\0" },
    ]) {
      const problem = await getProblem(api.app, "/v1/models/m0:promote", 422, post(body));
      expect(problem.errors?.[0]?.path).toBe("reason");
    }
    expect(await getAs(api.app, "/v1/models/m0", Model)).toMatchObject({ status: "challenger" });
    await getProblem(api.app, "/v1/models/m9:promote", 404, post({ reason: "why not" }));
    await getProblem(api.app, "/v1/models/:promote", 405, post({ reason: "why not" }));
    await getProblem(api.app, "/v1/models/m0:crown", 405, post({ reason: "why not" }));
  });
});

describe("POST /v1/sensors/{id}:train", () => {
  it("queues one training a sensor and slot, in the form that the trainer reads", async () => {
    api = await start();
    await api.ledger.rememberSensors(["a:b/c"], someSlot);
    const path = `/v1/sensors/${encodeURIComponent("a:b/c")}:train`;
    const answer = await getAs(api.app, path, TrainAccepted, { method: "POST", status: 202 });
    expect(answer).toEqual({ sensorId: "a:b/c", slot: someSlot.toISOString(), status: "queued" });
    await getAs(api.app, path, TrainAccepted, { ...post({}), status: 202 });
    expect(api.queue.sent).toHaveLength(1);
    const message = TrainMessage.parse(api.queue.sent[0]!.message.body);
    expect(message).toEqual({ sensorIds: ["a:b/c"], reason: "requested", slot: someSlot });
  });

  it("refuses a sensor that nobody knows, and says when the queue is away", async () => {
    api = await start();
    await getProblem(api.app, "/v1/sensors/ghost:train", 404, { method: "POST" });
    await api.ledger.rememberSensors(["a"], someSlot);
    api.queue.send = async () => {
      throw new AppError("queueUnavailable", "queue: 1 of 1 messages were not stored at https://sqs.example/123");
    };
    const problem = await getProblem(api.app, "/v1/sensors/a:train", 503, { method: "POST" });
    expect(problem.detail).not.toContain("sqs.example");
  });
});

describe("versions of the fleet's network", () => {
  it("lists them, promotes one whose files answer and takes it back for all its sensors", async () => {
    api = await start();
    const digest = "d".repeat(64);
    const enter = async (fleetId: string) => {
      await api.registry.registerFleet({ fleetId, digest, group: "", statusReason: "trained", now: api.clock.now() });
      const fleet = { fleetId, digest, pack: digest };
      const manifest = manifestOf({ modelId: `${fleetId}-a`, sensorId: "a", fleet });
      await api.registry.register({ manifest, statusReason: "trained", now: api.clock.now() });
    };
    await enter("one");
    await api.registry.promoteFleet("one", { kept: [], reason: "first", now: api.clock.now() });
    await api.registry.promote("one-a", "first", api.clock.now());
    api.clock.advance(600);
    await enter("two");
    const { items } = await getAs(api.app, "/v1/fleets", FleetVersionList);
    expect(
      items.map(({ fleetId, status, champions, challengers }) => [fleetId, status, champions, challengers]),
    ).toEqual([
      ["two", "challenger", 0, 1],
      ["one", "champion", 1, 0],
    ]);
    expect(await getAs(api.app, "/v1/models/two-a", Model)).toMatchObject({ fleetId: "two" });
    await getProblem(api.app, "/v1/fleets/three:promote", 404, post({ reason: "newer" }));
    await getProblem(api.app, "/v1/fleets/one:rollback", 409, post({ reason: "bad" }));
    await api.registry.promoteFleet("two", { kept: [], reason: "won", now: api.clock.now() });
    api.clock.advance(600);
    const back = await getAs(api.app, "/v1/fleets/two:rollback", FleetVersion, post({ reason: "cold at night" }));
    expect(back).toMatchObject({ fleetId: "one", status: "champion", statusReason: "cold at night", champions: 1 });
  });
});
