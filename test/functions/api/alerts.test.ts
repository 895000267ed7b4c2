import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { alertShard } from "../../../core/operations/alert.ts";
import { addSeconds } from "../../../core/time.ts";
import { createViews } from "../../../functions/adapters/postgres/views.ts";
import {
  AlertPage,
  AlertResponse,
  ChannelList,
  ChannelResponse,
  RehearsalResponse,
  Removed,
  RulePage,
  RuleResponse,
  TestAccepted,
} from "../../../functions/api/contract/alerts.ts";
import { AnnotationResponse } from "../../../functions/api/contract/annotations.ts";
import type { ApiServices } from "../../../functions/api/services.ts";
import { readingsOf, someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastOf, getAs, getProblem, outcomeOf, post, startApi, stepSeconds, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
beforeEach(async () => {
  api = await startApi(postgres);
  await api.ledger.rememberSensors(["a", "b"], someSlot);
});
afterEach(() => api.close());
afterAll(() => postgres.stop());

const put = (body: unknown) => ({ ...post(body), method: "PUT" });
const forecastRule = {
  name: "too warm",
  selector: { all: true },
  condition: { kind: "forecast", target: "temperature", high: 26, chance: 0.5, withinSeconds: 3_600 },
};
const make = (body: object = forecastRule) =>
  getAs(api.app, "/v1/alert-rules", RuleResponse, { ...post(body), status: 201 });

/** The next cycle: a's forecast lies at `level`, b's is stale. */
async function cycle(level: number): Promise<void> {
  const { ports } = api.services;
  api.clock.advance(stepSeconds);
  const slot = api.clock.now();
  const views = createViews(api.db);
  const queue = api.queue;
  const alertPorts = { ...ports, wall: api.clock, views, queue, alerts: ports.alerts as never, log: api.log };
  const forecasts = [
    forecastOf({ origin: slot, level }),
    forecastOf({ origin: slot, sensorId: "b", reason: "staleSource", method: "baseline" }),
  ];
  const outcomes = ["a", "b"].map((sensorId) => outcomeOf({ sensorId, slot }));
  const settings = { cycleSeconds: stepSeconds, wallCycleSeconds: stepSeconds, staleSeconds: 2 * stepSeconds };
  await alertShard(alertPorts, settings, { slot, sensorIds: ["a", "b"], outcomes, forecasts });
}

describe("/v1/alert-rules", () => {
  it("says how each rule stands, and of a sensor that nobody has looked at that it is blind", async () => {
    const { ruleId, ...made } = await make();
    expect(made).toMatchObject({
      state: "blind",
      states: { ok: 0, blind: 2, firing: 0 },
      since: someSlot.toISOString(),
    });
    await cycle(15);
    const calm = await getAs(api.app, `/v1/alert-rules/${ruleId}`, RuleResponse);
    expect(calm.states).toEqual({ ok: 1, pending: 0, firing: 0, blind: 1, muted: 0 });
    expect(calm.standings).toMatchObject([{ sensorId: "b", state: "blind", text: "cannot see: the source is stale" }]);
    await cycle(30);
    const [warm] = (await getAs(api.app, "/v1/alert-rules", RulePage)).items;
    expect(warm).toMatchObject({ state: "firing", states: { firing: 1, blind: 1 } });
    expect(warm!.standings[0]).toMatchObject({
      sensorId: "a",
      text: expect.stringContaining("above 26 °C from about"),
    });
    const muted = { ...forecastRule, mutedUntil: addSeconds(someSlot, 86_400).toISOString() };
    const quiet = await getAs(api.app, `/v1/alert-rules/${ruleId}`, RuleResponse, put(muted));
    expect(quiet.states).toMatchObject({ muted: 1, blind: 1 });
    // No cycle for long: nothing that was ok may go on reading so.
    api.clock.advance(10 * stepSeconds);
    expect((await getAs(api.app, `/v1/alert-rules/${ruleId}`, RuleResponse)).states).toMatchObject({ ok: 0, blind: 1 });
  });

  it("is replaced, removed and paged", async () => {
    const made = [await make(), await make(), await make()].map(({ ruleId }) => ruleId).toSorted();
    const first = await getAs(api.app, "/v1/alert-rules?limit=2", RulePage);
    const second = await getAs(api.app, `/v1/alert-rules?limit=2&cursor=${first.nextCursor}`, RulePage);
    expect([...first.items, ...second.items].map(({ ruleId }) => ruleId)).toEqual(made);
    expect(second.nextCursor).toBeNull();
    await cycle(30);
    await getAs(api.app, `/v1/alert-rules/${made[0]}`, Removed, { method: "DELETE" });
    await getProblem(api.app, `/v1/alert-rules/${made[0]}`, 404);
    await getProblem(api.app, `/v1/alert-rules/${made[0]}`, 404, put(forecastRule));
    const over = await getAs(api.app, "/v1/alerts?state=over", AlertPage);
    expect(over.items.map(({ ruleId }) => ruleId)).toEqual([made[0]]);
  });

  it("lists for one sensor the rules that watch it, each as it stands with it", async () => {
    const all = await make();
    const one = await make({ ...forecastRule, selector: { sensorIds: ["b"] } });
    await make({ ...forecastRule, isEnabled: false });
    await make({ ...forecastRule, condition: { kind: "sourceAge", forSeconds: 60 } });
    await make({ ...forecastRule, condition: { ...forecastRule.condition, high: null } });
    await cycle(30);
    const of = async (query: string) => (await getAs(api.app, `/v1/alert-rules?${query}`, RulePage)).items;
    expect(await of("sensorId=a")).toMatchObject([
      { ruleId: all.ruleId, state: "firing", states: { firing: 1, blind: 0 } },
    ]);
    const watching = await of("sensorId=b");
    expect(watching.map(({ ruleId }) => ruleId)).toEqual([all.ruleId, one.ruleId].toSorted());
    expect(watching.map(({ standings }) => standings.map(({ sensorId }) => sensorId))).toEqual([["b"], ["b"]]);
    const { nextCursor } = await getAs(api.app, "/v1/alert-rules?sensorId=b&limit=1", RulePage);
    expect((await of(`sensorId=b&cursor=${nextCursor}`)).map(({ ruleId }) => ruleId)).toEqual([watching[1]!.ruleId]);
    // Once it has limits of its own, the rule without any watches it.
    await api.services.ports.profiles.change(
      "a",
      { limits: { temperature: { low: null, high: 40 } } },
      api.clock.now(),
    );
    expect(await of("sensorId=a")).toHaveLength(2);
  });

  it("refuses what it could never watch or tell, and says why", async () => {
    const said = async (change: object) =>
      (await getProblem(api.app, "/v1/alert-rules", 422, post({ ...forecastRule, ...change }))).detail;
    const { condition } = forecastRule;
    expect(await said({ condition: { ...condition, target: "pressure" } })).toContain("there is no target pressure");
    expect(await said({ condition: { ...condition, withinSeconds: 60 } })).toContain("less than a step");
    expect(await said({ condition: { ...condition, low: 30 } })).toContain("low must be below high");
    expect(await said({ condition: { ...condition, chance: 1 } })).toContain("chance");
    expect(await said({ clearChance: 0.9 })).toContain("clearChance");
    expect(await said({ channelIds: ["nowhere"] })).toContain("no channel nowhere");
    expect(await said({ selector: { group: "a//b" } })).toContain("path");
    expect(await said({ selector: { sensorIds: [] } })).toContain("selector");
    const database = { kind: "databaseSize", aboveBytes: 1e9 };
    expect(await said({ condition: database, selector: { sensorIds: ["a"] } })).toContain("watches no sensor");
  });
});

describe("/v1/alerts", () => {
  it("lists what fires and fired, and is acknowledged with a note", async () => {
    await make();
    await cycle(30);
    await cycle(15);
    await cycle(30);
    const { items } = await getAs(api.app, "/v1/alerts", AlertPage);
    expect(items.map(({ clearedAt }) => clearedAt === null)).toEqual([true, false]);
    const firing = await getAs(api.app, "/v1/alerts?state=firing&sensorId=a", AlertPage);
    expect(firing.items).toHaveLength(1);
    const path = `/v1/alerts/${firing.items[0]!.alertId}:acknowledge`;
    const seen = await getAs(api.app, path, AlertResponse, post({ note: "window opened" }));
    expect(seen).toMatchObject({ note: "window opened", acknowledgedBy: "anonymous" });
    await getProblem(api.app, "/v1/alerts/999:acknowledge", 404, post({}));
    await getProblem(api.app, "/v1/alerts/x:acknowledge", 404, post({}));
  });
});

describe("/v1/alert-channels", () => {
  const secret = "a secret of a webhook";
  const webhook = { name: "hook", settings: { kind: "webhook", url: "https://example.com/hook" }, secret };
  const add = (body: object = webhook) =>
    getAs(api.app, "/v1/alert-channels", ChannelResponse, { ...post(body), status: 201 });

  it("keeps secrets, shows none, and stores none that could be read", async () => {
    const { channelId } = await add();
    const slack = await add({
      name: "s",
      settings: { kind: "slack" },
      secret: "https://hooks.slack.com/services/T/B/x",
    });
    const listed = JSON.stringify(await getAs(api.app, "/v1/alert-channels", ChannelList));
    const stored = JSON.stringify(await api.db.selectFrom("alert_channel").selectAll().execute());
    const bytes = (await api.db.selectFrom("alert_channel").select("secret").execute()).map((row) =>
      String(row.secret),
    );
    for (const text of [listed, stored, ...bytes, JSON.stringify(api.log.lines)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain("hooks.slack.com");
    }
    const outbox = api.services.ports.outbox as unknown as { channel(id: string): Promise<{ secret: string }> };
    expect((await outbox.channel(channelId)).secret).toBe(secret);
    const renamed = { name: "h2", settings: webhook.settings };
    await getAs(api.app, `/v1/alert-channels/${channelId}`, ChannelResponse, put(renamed));
    expect((await outbox.channel(channelId)).secret).toBe(secret);
    // The bytes of one channel do not open as another's.
    await api.db
      .updateTable("alert_channel")
      .set({ secret: (await bytesOf(slack.channelId))! })
      .where("channel_id", "=", channelId)
      .execute();
    await expect(outbox.channel(channelId)).rejects.toThrow("ALERT_SECRET_KEY");
  });

  const bytesOf = async (channelId: string) =>
    (
      await api.db
        .selectFrom("alert_channel")
        .select("secret")
        .where("channel_id", "=", channelId)
        .executeTakeFirstOrThrow()
    ).secret;

  it("wants the secret again where it would go elsewhere", async () => {
    const { channelId } = await add();
    const moved = { name: "hook", settings: { kind: "webhook", url: "https://elsewhere.example/hook" } };
    const { detail } = await getProblem(api.app, `/v1/alert-channels/${channelId}`, 422, put(moved));
    expect(detail).toContain("give its secret again");
    await getAs(api.app, `/v1/alert-channels/${channelId}`, ChannelResponse, put({ ...moved, secret }));
  });

  it("has a secret of Kafka's where it is signed in to, and forgets it with that", async () => {
    const sasl = { mechanism: "scram-sha-512", username: "writer" };
    const settings = { kind: "kafka", brokers: ["kafka-1.example:9092"], topic: "alerts", sasl };
    const { channelId, hasSecret, ...made } = await add({ name: "k", settings, secret });
    expect([hasSecret, made.settings]).toEqual([true, { ...settings, isEncrypted: true }]);
    const open = put({ name: "k", settings: { ...settings, sasl: null } });
    expect(await getAs(api.app, `/v1/alert-channels/${channelId}`, ChannelResponse, open)).toMatchObject({
      hasSecret: false,
    });
    const said = async (change: object, more: object = {}) => {
      const body = { name: "k", settings: { ...settings, ...change }, secret, ...more };
      return (await getProblem(api.app, "/v1/alert-channels", 422, post(body))).detail;
    };
    expect(await said({}, { secret: undefined })).toContain("give the password");
    expect(await said({ sasl: null })).toContain("without sasl has none");
    expect(await said({ sasl: { ...sasl, mechanism: "plain" }, isEncrypted: false })).toContain("isEncrypted");
    for (const brokers of [[], ["kafka-1"], ["http://kafka-1:9092"], ["[::1]:9092"]])
      expect(await said({ brokers })).toContain("brokers");
    for (const topic of ["", "a/b"]) expect(await said({ topic })).toContain("topic");
  });

  it("refuses kinds without what they need", async () => {
    const said = async (body: object) => (await getProblem(api.app, "/v1/alert-channels", 422, post(body))).detail;
    expect(await said({ ...webhook, secret: undefined })).toContain("give the key that signs");
    expect(await said({ ...webhook, secret: "short" })).toContain("16 characters");
    expect(await said({ ...webhook, secret: "env:API_KEY" })).toContain("env:CHANNEL_SECRET_NAME");
    expect(await said({ name: "m", settings: { kind: "email", to: ["nobody"] } })).toContain("settings");
    expect(await said({ name: "m", settings: { kind: "email", to: ["a@b.example"] }, secret })).toContain("has none");
    expect(await said({ name: "f", settings: { kind: "webhook", url: "file:///etc/passwd" }, secret })).toContain(
      "url",
    );
  });

  it("queues a test", async () => {
    const { channelId } = await add();
    const sent = await getAs(api.app, `/v1/alert-channels/${channelId}:test`, TestAccepted, {
      method: "POST",
      status: 202,
    });
    const [row] = await api.db.selectFrom("notification").selectAll().execute();
    expect(row).toMatchObject({ key: sent.idempotencyKey, kind: "test", channel_id: channelId });
    expect(api.queue.sent).toMatchObject([{ queue: "notify", message: { body: { channelId } } }]);
    await getAs(api.app, `/v1/alert-channels/${channelId}`, Removed, { method: "DELETE" });
    expect(await api.db.selectFrom("notification").selectAll().execute()).toEqual([]);
    await getProblem(api.app, `/v1/alert-channels/${channelId}:test`, 404, { method: "POST" });
  });
});

describe("POST /v1/alert-rules:rehearse", () => {
  it("replays over a backtest where somebody can make one, and says what that is worth", async () => {
    const start = addSeconds(someSlot, -40 * stepSeconds);
    const values = Array.from({ length: 41 }, (_, i) => (i >= 16 && i < 20 ? 30 : 20 + (i % 3) / 10));
    const temperature = values.slice(1);
    const readings = new Map([["a", readingsOf({ temperature, humidity: temperature })]]);
    const range = { from: start.toISOString(), to: addSeconds(someSlot, -10 * stepSeconds).toISOString() };
    const asked = post({ rule: forecastRule, over: "backtest", ...range });
    const refused = await getProblem(api.app, "/v1/alert-rules:rehearse", 422, asked);
    expect(refused.detail).toContain("only the ledger");
    await api.close();
    const requests: unknown[] = [];
    const backtest: NonNullable<ApiServices["backtest"]> = async (request) => {
      requests.push(request);
      const forecasts = Array.from({ length: 30 }, (_, i) => {
        const origin = addSeconds(start, i * stepSeconds);
        return forecastOf({ origin, level: i >= 12 && i < 14 ? 29 : 15 });
      });
      return { forecasts, trainedTo: addSeconds(start, 5 * stepSeconds) };
    };
    api = await startApi(postgres, { readings, services: { backtest } });
    await api.ledger.rememberSensors(["a"], start);
    const made = await getAs(api.app, "/v1/alert-rules:rehearse", RehearsalResponse, asked);
    expect(made).toMatchObject({ over: "backtest", fired: 1, true: 1, missed: 0, slots: 30, sensorIds: ["a"] });
    expect(made.overText).toContain("looks better than it would have been");
    expect(requests).toEqual([{ sensorIds: ["a"], target: "temperature", from: start, to: new Date(range.to) }]);
    const long = post({ rule: forecastRule, over: "backtest", to: range.to, from: "2026-01-01T00:00:00Z" });
    expect((await getProblem(api.app, "/v1/alert-rules:rehearse", 422, long)).detail).toContain("slots at most");
  });

  it("replays stored forecasts as they were issued against what came", async () => {
    const start = addSeconds(someSlot, -40 * stepSeconds);
    const values = Array.from({ length: 41 }, (_, i) => (i >= 16 && i < 20 ? 30 : 20 + (i % 3) / 10));
    await api.close();
    const temperature = values.slice(1);
    api = await startApi(postgres, { readings: new Map([["a", readingsOf({ temperature, humidity: temperature })]]) });
    await api.ledger.rememberSensors(["a"], start);
    for (let i = 0; i < 30; i++) {
      const origin = addSeconds(start, i * stepSeconds);
      await api.ledger.record(
        [outcomeOf({ slot: origin })],
        [forecastOf({ origin, level: i >= 12 && i < 14 ? 29 : 15 })],
      );
    }
    const asked = post({ rule: forecastRule, from: start.toISOString(), to: someSlot.toISOString() });
    const made = await getAs(api.app, "/v1/alert-rules:rehearse", RehearsalResponse, asked);
    expect(made).toMatchObject({ fired: 1, true: 1, false: 0, missed: 0, selected: 1, sensorIds: ["a"], slots: 30 });
    expect(made.warningSeconds).toEqual({ median: 4 * stepSeconds, least: 4 * stepSeconds });
    const chances = [0.1, 0.2, 0.35, 0.5, 0.65, 0.8];
    expect(made.tradeOff.map(({ chance }) => chance)).toEqual([...chances, ...chances, ...chances]);
    const shifts = [...new Set(made.tradeOff.map(({ shift }) => shift))];
    expect(shifts).toEqual([0, -shifts[2]!, shifts[2]]);
    const [event] = made.events;
    expect(event).toMatchObject({ limits: { low: null, high: forecastRule.condition.high }, result: "true" });
    expect(event!.forecast!.origin <= event!.firedAt!).toBe(true);
    expect(event!.forecast!.q50).toHaveLength(event!.forecast!.targetAt.length);
    // What came about while the window was open is neither true nor missed, and in again once that is taken back.
    const span = {
      from: addSeconds(start, 11 * stepSeconds).toISOString(),
      to: addSeconds(start, 20 * stepSeconds).toISOString(),
    };
    const note = post({ sensorId: "a", kind: "open window", ...span, text: "airing" });
    const { annotationId } = await getAs(api.app, "/v1/annotations", AnnotationResponse, { ...note, status: 201 });
    const without = await getAs(api.app, "/v1/alert-rules:rehearse", RehearsalResponse, asked);
    expect(without).toMatchObject({ fired: 0, true: 0, false: 0, missed: 0, slots: 20, leftOutSlots: 10, events: [] });
    await getAs(api.app, `/v1/annotations/${annotationId}`, AnnotationResponse, { method: "DELETE" });
    expect(await getAs(api.app, "/v1/alert-rules:rehearse", RehearsalResponse, asked)).toEqual(made);
    expect(made).toMatchObject({ over: "ledger" });
    const silent = { ...forecastRule, condition: { kind: "silent", forSeconds: 60 } };
    await getProblem(api.app, "/v1/alert-rules:rehearse", 422, post({ rule: silent }));
    const reversed = { rule: forecastRule, from: someSlot.toISOString(), to: start.toISOString() };
    await getProblem(api.app, "/v1/alert-rules:rehearse", 422, post(reversed));
  });
});
