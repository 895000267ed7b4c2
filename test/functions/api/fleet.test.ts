import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LikeliestCrossing } from "../../../core/forecast/crossing.ts";
import { addSeconds } from "../../../core/time.ts";
import { FleetPage } from "../../../functions/api/contract/fleet.ts";
import { SensorPage } from "../../../functions/api/contract/sensors.ts";
import { manifestOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastsOf, getAs, outcomeOf, scoreOf, startApi, stepSeconds, type TestApi } from "./harness.ts";

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

const list = (query = "") => getAs(api.app, `/v1/sensors?${query}`, SensorPage);
const ids = async (query = "") => (await list(query)).items.map(({ sensorId }) => sensorId);
const earlier = (steps: number) => addSeconds(someSlot, -steps * stepSeconds);

/** Sensors that were decided in the slot, each with its forecasts. */
async function decide(sensorIds: string[], slot = someSlot) {
  await api.ledger.rememberSensors(sensorIds, slot);
  await api.ledger.record(
    sensorIds.map((sensorId) => outcomeOf({ sensorId, slot })),
    sensorIds.flatMap((sensorId) => forecastsOf({ sensorId, origin: slot })),
  );
}

describe("the order of a list", () => {
  it("goes by any column, either way, with numbers in ids as numbers and what is not known last", async () => {
    api = await startApi(postgres);
    await decide(["room10"], earlier(2));
    await decide(["room2"], earlier(1));
    await decide(["room1"]);
    await api.ledger.rememberSensors(["room3"], someSlot);
    await api.scores.record([
      scoreOf({ sensorId: "room1", error: Array(24).fill(0.9), isCovered: Array(24).fill(false) }),
      scoreOf({ sensorId: "room2", error: Array(24).fill(0.2) }),
      scoreOf({ sensorId: "room2", target: "humidity", error: Array(24).fill(0.4) }),
    ]);
    for (const [sensorId, modelId] of [
      ["room2", "m9"],
      ["room10", "m10"],
    ] as const) {
      await api.registry.register({
        manifest: manifestOf({ modelId, sensorId }),
        statusReason: "first",
        now: someSlot,
      });
      await api.registry.promote(modelId, "first", someSlot);
    }

    expect(await ids("sort=sensorId")).toEqual(["room1", "room2", "room3", "room10"]);
    expect(await ids("sort=-sensorId")).toEqual(["room10", "room3", "room2", "room1"]);
    expect(await ids("sort=age")).toEqual(["room10", "room2", "room1", "room3"]);
    expect(await ids("sort=-age")).toEqual(["room1", "room2", "room10", "room3"]);
    expect(await ids("sort=skill")).toEqual(["room1", "room2", "room3", "room10"]);
    expect(await ids("sort=-skill")).toEqual(["room2", "room1", "room3", "room10"]);
    expect(await ids("sort=coverage")).toEqual(["room1", "room2", "room3", "room10"]);
    expect(await ids("sort=model")).toEqual(["room2", "room10", "room1", "room3"]);
    const { items } = await list("sort=skill");
    expect(items.map(({ skill, coverage }) => [skill, coverage])).toEqual([
      [0.1, 0],
      [0.6, 1],
      [null, null],
      [null, null],
    ]);
  });

  it("puts the likeliest crossings first, without those that nobody can tell of, and says them in words", async () => {
    api = await startApi(postgres);
    const crossing = (chance: number): LikeliestCrossing => ({
      ...{ target: "temperature", unit: "°C", side: "above", limit: 26, chance, isBeyond: chance === 1 },
      crossesAt: new Date("2026-03-01T19:10:00Z"),
    });
    const crossings = new Map([
      ["maybe", crossing(0.35)],
      ["surely", crossing(1)],
      ["old", crossing(0.8)],
    ]);
    const at = async (sensorIds: string[], slot = someSlot) => {
      await api.ledger.rememberSensors(sensorIds, slot);
      await api.ledger.record(
        sensorIds.map((sensorId) => outcomeOf({ sensorId, slot })),
        sensorIds.flatMap((sensorId) => forecastsOf({ sensorId, origin: slot })),
        crossings,
      );
    };
    await at(["old"], earlier(20));
    await at(["maybe", "no-limits", "surely"]);
    expect(await ids("sort=chance")).toEqual(["surely", "maybe", "no-limits", "old"]);
    expect(await ids("sort=-chance")).toEqual(["maybe", "surely", "no-limits", "old"]);
    const { items, version } = await list("sort=chance");
    expect(items.map(({ chance }) => chance)).toEqual([1, 0.35, undefined, undefined]);
    const fleet = await getAs(api.app, "/v1/sensors?view=fleet&sort=chance", FleetPage);
    expect(fleet.items.map((one) => one.crossing?.text)).toEqual([
      "above 26 °C now",
      "above 26 °C from about 19:10 UTC, 35 %",
      undefined,
      undefined,
    ]);
    expect(fleet.items[1]!.crossing).toMatchObject({ target: "temperature", side: "above", limit: 26, chance: 0.35 });
    // The next outcome tells anew: this one has no forecast that could.
    const next = addSeconds(someSlot, stepSeconds);
    await api.ledger.record([outcomeOf({ sensorId: "surely", slot: next, status: "refused", reason: "gap" })], []);
    // And one that comes late changes nothing.
    const late = new Map([["maybe", crossing(0.9)]]);
    await api.ledger.record([outcomeOf({ sensorId: "maybe", slot: earlier(1) })], [], late);
    // Another question: an order that was made is kept for a moment.
    const again = await list("sort=chance&q=%20");
    expect(again.items.map(({ sensorId, chance }) => [sensorId, chance])).toEqual([
      ["maybe", 0.35],
      ["no-limits", undefined],
      ["old", undefined],
      ["surely", undefined],
    ]);
    expect(await ids(`sort=chance&changedSince=${version}`)).toContain("surely");
  });

  it("puts within one status first whose forecasts fare worst, once enough was scored", async () => {
    api = await startApi(postgres);
    await decide(["fine", "losing", "narrow", "unscored"]);
    await api.ledger.record([outcomeOf({ sensorId: "broken", status: "refused", reason: "gap" })], []);
    await api.ledger.rememberSensors(["broken"], someSlot);
    const twice = (of: Parameters<typeof scoreOf>[0]) => [
      scoreOf(of),
      scoreOf({ ...of, targetAt: addSeconds(someSlot, -stepSeconds) }),
    ];
    await api.scores.record([
      ...twice({ sensorId: "fine" }),
      ...twice({ sensorId: "losing", error: Array(24).fill(1.3) }),
      ...twice({ sensorId: "narrow", isCovered: Array.from({ length: 24 }, (_, i) => i < 12) }),
    ]);
    expect(await ids("sort=attention")).toEqual(["broken", "narrow", "losing", "fine", "unscored"]);
    expect((await ids("sort=-attention")).at(-1)).toBe("broken");
  });

  it("pages by offset as by cursor, and says how many fit of each status", async () => {
    api = await startApi(postgres);
    await decide(Array.from({ length: 12 }, (_, i) => `s${i}`));
    await api.ledger.rememberSensors(["new"], someSlot);
    const { total, counts } = await list("q=s1&status=ok");
    expect({ total, counts }).toEqual({ total: 3, counts: { ok: 3, waiting: 0, stale: 0, baseline: 0, refused: 0 } });
    expect((await list("status=waiting")).counts).toMatchObject({ ok: 12, waiting: 1 });
    expect(await ids("offset=10&limit=5")).toEqual(["s9", "s10", "s11"]);
    expect(await ids("offset=99")).toEqual([]);
    const first = await list("limit=10");
    expect(await ids(`limit=10&cursor=${first.nextCursor}`)).toEqual(["s9", "s10", "s11"]);
  });
});

describe("searching", () => {
  it("finds every word in id, name, group, place, model or reason, in any case", async () => {
    api = await startApi(postgres);
    await decide(["Hall", "attic"]);
    await api.ledger.record(
      [outcomeOf({ sensorId: "bath", status: "refused", reason: "gap", reasonText: "2 h missing" })],
      [],
    );
    await api.ledger.rememberSensors(["bath"], someSlot);
    await api.services.ports.profiles.change("attic", { name: "Under the roof", group: "house/top" }, someSlot);
    await api.registry.register({
      manifest: manifestOf({ modelId: "hall-v7", sensorId: "Hall" }),
      statusReason: "x",
      now: someSlot,
    });
    await api.registry.promote("hall-v7", "first", someSlot);
    expect(await ids("q=ROOF%20house")).toEqual(["attic"]);
    expect(await ids("q=v7")).toEqual(["Hall"]);
    expect(await ids("q=missing")).toEqual(["bath"]);
    expect(await ids("q=roof%20v7")).toEqual([]);
    expect(await ids("group=house")).toEqual(["attic"]);
  });
});

describe("a sensor's state", () => {
  it("stays that of the newest slot when a hole before it is closed late, and takes the hole's forecast if newer", async () => {
    api = await startApi(postgres);
    await decide(["a"], earlier(3));
    await api.ledger.record([outcomeOf({ status: "refused", reason: "gap" })], []);
    await decide(["a"], earlier(2));
    const { items } = await getAs(api.app, "/v1/sensors?view=fleet", FleetPage);
    expect(items[0]).toMatchObject({ status: "refused", reason: "gap" });
    expect(items[0]!.targets[0]!.forecast!.origin).toBe(earlier(2).toISOString());
  });

  it("is that of the last of several slots that are recorded at once", async () => {
    api = await startApi(postgres);
    await api.ledger.rememberSensors(["a"], someSlot);
    const late = [3, 1, 2].map((steps) => outcomeOf({ slot: earlier(steps), status: "expired", reason: "expired" }));
    await api.ledger.record([...late, outcomeOf()], forecastsOf());
    expect((await list()).items[0]).toMatchObject({ status: "ok" });
  });

  it("is not touched by a second decision of the same slot", async () => {
    api = await startApi(postgres);
    await decide(["a"]);
    await api.ledger.record([outcomeOf({ status: "expired", reason: "expired" })], []);
    expect((await list()).items[0]).toMatchObject({ status: "ok" });
  });
});

describe("changedSince", () => {
  it("lists those that were decided, renamed, given a model, scored or seen first since, and nobody else", async () => {
    api = await startApi(postgres);
    await decide(["a", "b", "c", "d", "e"]);
    const { version } = await list();
    expect(await ids(`changedSince=${version}`)).toEqual([]);
    await decide(["a"], addSeconds(someSlot, stepSeconds));
    await api.services.ports.profiles.change("b", { name: "Bath" }, someSlot);
    await api.registry.register({ manifest: manifestOf({ sensorId: "c" }), statusReason: "first", now: someSlot });
    await api.registry.promote("model-a", "first", someSlot);
    await api.scores.record([scoreOf({ sensorId: "d" })]);
    await api.ledger.rememberSensors(["f"], someSlot);
    expect(await ids(`changedSince=${version}`)).toEqual(["a", "b", "c", "d", "f"]);
    const later = await list(`changedSince=${version}`);
    expect(await ids(`changedSince=${later.version}`)).toEqual(["f"]);
  });

  it("misses nothing that was under way while the page was made", async () => {
    api = await startApi(postgres);
    await decide(["a", "b"]);
    const gate = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const slow = api.db.transaction().execute(async (trx) => {
      await sql`update sensor_state set skill = 0.5, changed_by = pg_current_xact_id() where sensor_id = 'a'`.execute(
        trx,
      );
      started.resolve();
      await gate.promise;
    });
    await started.promise;
    await api.services.ports.profiles.change("b", { name: "Quick" }, someSlot);
    const { version, items } = await list();
    expect(items.map(({ name, skill }) => [name, skill])).toEqual([
      [undefined, null],
      ["Quick", null],
    ]);
    gate.resolve();
    await slow;
    expect(await ids(`changedSince=${version}`)).toContain("a");
  });

  it("takes the version of another server for one that tells nothing", async () => {
    api = await startApi(postgres);
    await decide(["a"]);
    expect(await ids("changedSince=9000000000000000000")).toEqual(["a"]);
  });
});

describe("answers of a cycle", () => {
  it("are given again without the databases, as 304 to who has them, until something is decided", async () => {
    api = await startApi(postgres, { settings: { revisionMs: 60_000 } });
    await decide(["a"]);
    let asked = 0;
    const { sensors } = api.services.views;
    api.services.views.sensors = (...given) => {
      asked++;
      return sensors(...given);
    };
    const get = (headers: Record<string, string> = {}) => api.app.request("/v1/sensors?view=fleet", { headers });
    const first = await get();
    const again = await get();
    expect(await again.text()).toBe(await first.text());
    const tag = first.headers.get("ETag")!;
    expect(again.headers.get("ETag")).toBe(tag);
    expect(again.headers.get("Content-Type")).toBe(first.headers.get("Content-Type"));
    expect((await get({ "If-None-Match": tag })).status).toBe(304);
    expect(asked).toBe(1);
    const packed = await get({ "Accept-Encoding": "gzip" });
    const packedAgain = await get({ "Accept-Encoding": "gzip" });
    expect(packedAgain.headers.get("Content-Encoding")).toBe(packed.headers.get("Content-Encoding"));
    expect(Buffer.from(await packedAgain.arrayBuffer())).toEqual(Buffer.from(await packed.arrayBuffer()));
  });

  it("are made anew once something was decided, renamed or promoted, and when time has passed", async () => {
    api = await startApi(postgres);
    await decide(["a"]);
    const text = async () => (await api.app.request("/v1/sensors?view=fleet")).text();
    const first = await text();
    await api.services.ports.profiles.change("a", { name: "Hall" }, someSlot);
    const renamed = await text();
    expect(renamed).not.toBe(first);
    await api.registry.register({ manifest: manifestOf(), statusReason: "first", now: someSlot });
    await api.registry.promote("model-a", "first", someSlot);
    expect(await text()).not.toBe(renamed);
    api.clock.advance(4 * stepSeconds);
    expect(JSON.parse(await text()).items[0].status).toBe("stale");
  });

  it("are nobody's who may not read", async () => {
    api = await startApi(postgres, { access: { mode: "private" } });
    await decide(["a"]);
    expect((await api.app.request("/v1/sensors")).status).toBe(401);
  });
});

it("takes about 120 bytes a sensor beyond ids without a view, and 1.7 kB with forecasts and history", async () => {
  const sensorIds = Array.from({ length: 100 }, (_, i) => `sensor-${i}`);
  const readings = readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 50 }) });
  api = await startApi(postgres, { readings: new Map(sensorIds.map((id) => [id, readings])) });
  await decide(sensorIds, earlier(1));
  const bytes = async (query: string) => {
    const text = await (await api.app.request(`/v1/sensors?limit=100${query}`)).text();
    return text.length / 100 - "sensor-00".length;
  };
  expect(await bytes("")).toBeLessThan(130);
  expect(await bytes("&view=fleet")).toBeLessThan(1_900);
});
