import { describe, expect, it } from "vitest";
import { AppError } from "../../../core/errors.ts";
import { attentionOrder, statusOf } from "../../../core/forecast/sensor.ts";
import { addSeconds } from "../../../core/time.ts";
import { FleetPage } from "../../../functions/api/contract/fleet.ts";
import { Sensor, SensorPage } from "../../../functions/api/contract/sensors.ts";
import { staleBefore } from "../../../functions/api/freshness.ts";
import { manifestOf, readingsOf, someSlot, wave } from "../../builders.ts";
import { forecastsOf, getAs, getProblem, outcomeOf, scoreOf, stepSeconds, type TestApi } from "./harness.ts";
import { apiStarter } from "./starter.ts";

const start = apiStarter();
let api: TestApi;

const origin = addSeconds(someSlot, -stepSeconds);

describe("GET /v1/sensors", () => {
  it("gives each sensor its state, newest readings, forecasts, coverage and skill", async () => {
    const readings = new Map([["a", readingsOf({ temperature: wave(300), humidity: wave(300, { mean: 50 }) })]]);
    api = await start({ readings });
    await api.ledger.rememberSensors(["a"], someSlot);
    await api.registry.register({ manifest: manifestOf(), statusReason: "first", now: origin });
    await api.registry.promote("model-a", "first model", origin);
    await api.ledger.record([outcomeOf({ slot: origin })], forecastsOf({ origin }));
    await api.scores.record([
      scoreOf({ targetAt: addSeconds(someSlot, -3600) }),
      scoreOf({ targetAt: addSeconds(someSlot, -7200), isCovered: Array(24).fill(false) }),
      scoreOf({ targetAt: addSeconds(someSlot, -8 * 86_400), error: Array(24).fill(9) }),
    ]);

    const sensor = await getAs(api.app, "/v1/sensors/a", Sensor);

    expect(sensor).toMatchObject({ sensorId: "a", status: "ok", modelId: "model-a" });
    expect(sensor.newestReadingAt).toBe(someSlot.toISOString());
    const [temperature, humidity] = sensor.targets;
    expect(temperature!.lastReadingAt).toBe(someSlot.toISOString());
    expect(temperature!.lastValue).toBeCloseTo(wave(300).at(-1)!, 9);
    expect(temperature!.history.at).toHaveLength(144);
    expect(temperature!.history.at.at(-1)).toBe(someSlot.toISOString());
    expect(temperature!.forecast!.coverage).toEqual({ nominal: 0.8, observed: 0.5, n: 48 });
    expect(temperature!.skill).toEqual({ persistence: 0.5, seasonalNaive: 0.75, n: 48 });
    expect(temperature!.forecast!.targetAt[0]).toBe(someSlot.toISOString());
    expect(humidity!.forecast!.q50[0]).toBe(40.25);
    expect(humidity!.forecast!.coverage).toEqual({ nominal: 0.8, observed: null, n: 0 });
    expect(humidity!.skill).toEqual({ persistence: null, seasonalNaive: null, n: 0 });

    const { items, total, counts } = await getAs(api.app, "/v1/sensors", SensorPage);
    expect({ total, ok: counts.ok }).toEqual({ total: 1, ok: 1 });
    expect(items).toEqual([
      {
        ...{ sensorId: "a", status: "ok", modelId: "model-a", skill: 0.5, coverage: 0.5 },
        newestReadingAt: addSeconds(origin, -30).toISOString(),
      },
    ]);

    const fleet = await getAs(api.app, "/v1/sensors?view=fleet", FleetPage);
    expect(fleet.items[0]).toMatchObject(items[0]!);
    const [warm, damp] = fleet.items[0]!.targets;
    expect(fleet.grid).toEqual({ from: addSeconds(someSlot, -35 * 1200).toISOString(), stepSeconds: 1200 });
    expect(warm!.history).toHaveLength(36);
    expect(warm!.history.at(-1)).toBeCloseTo((wave(300).at(-1)! + wave(300).at(-2)!) / 2, 2);
    expect(warm).toMatchObject({ skill: 0.5, lastReadingAt: someSlot.toISOString() });
    expect(warm!.coverage).toEqual({ nominal: 0.8, observed: 0.5, n: 48 });
    expect(warm!.forecast).toMatchObject({ method: "lstm", origin: origin.toISOString(), stepSeconds });
    expect(damp!.forecast!.q50[0]).toBe(40.25);
    expect(damp).toMatchObject({ skill: null, coverage: { observed: null, n: 0 } });
  });

  it("tells the five states apart and says what comes next", async () => {
    api = await start();
    await api.ledger.rememberSensors(["base", "gappy", "late", "new", "ok", "old", "short"], someSlot);
    await api.ledger.record(
      [
        outcomeOf({ sensorId: "ok" }),
        outcomeOf({ sensorId: "base", status: "baseline", reason: "noModel", reasonText: "no model yet" }),
        outcomeOf({ sensorId: "gappy", status: "refused", reason: "gap", have: 91, need: 96 }),
        outcomeOf({ sensorId: "late", status: "baseline", reason: "staleSource", reasonText: "3 h without a reading" }),
        outcomeOf({ sensorId: "old", slot: addSeconds(someSlot, -5 * stepSeconds) }),
        outcomeOf({ sensorId: "short", status: "refused", reason: "shortHistory", have: 31, need: 40 }),
      ],
      [],
    );

    const { items, counts, total } = await getAs(api.app, "/v1/sensors?view=fleet", FleetPage);

    expect(counts).toEqual({ ok: 1, baseline: 1, stale: 2, refused: 1, waiting: 2 });
    expect(total).toBe(7);
    expect(
      Object.fromEntries(items.map(({ sensorId, status, statusText }) => [sensorId, [status, statusText]])),
    ).toEqual({
      base: ["baseline", "no model yet"],
      gappy: ["refused", "refused: gap (91 of 96 steps)"],
      late: ["stale", "3 h without a reading"],
      new: ["waiting", "no forecast yet; the next cycle looks at it"],
      ok: ["ok", "forecast by its LSTM at 2026-03-01 12:00 UTC"],
      old: ["stale", "no forecast since 2026-03-01 11:10 UTC, 5 cycles missed"],
      short: ["waiting", "31 of 40 readings, about 1 h 30 min left"],
    });
  });

  it("puts what needs attention first, filters by state and searches in ids", async () => {
    api = await start();
    await api.ledger.rememberSensors(["Kitchen", "attic", "bath", "cellar"], someSlot);
    await api.ledger.record(
      [
        outcomeOf({ sensorId: "attic" }),
        outcomeOf({ sensorId: "bath", status: "baseline", reason: "noModel" }),
        outcomeOf({ sensorId: "cellar", status: "refused", reason: "gap" }),
      ],
      [],
    );
    const ids = async (query: string) =>
      (await getAs(api.app, `/v1/sensors?${query}`, SensorPage)).items.map((sensor) => sensor.sensorId);
    api.clock.advance(stepSeconds);

    expect(await ids("sort=attention")).toEqual(["cellar", "bath", "Kitchen", "attic"]);
    expect(await ids("status=refused,baseline")).toEqual(["bath", "cellar"]);
    expect(await ids("q=KIT")).toEqual(["Kitchen"]);
    expect(await ids("q=%25")).toEqual([]);
  });

  it.each(["sensorId", "attention"])(
    "joins its pages by %s to the full set while sensors and outcomes are added",
    async (sort) => {
      api = await start();
      const known = Array.from({ length: 23 }, (_, index) => `room-${index}`);
      await api.ledger.rememberSensors(known, someSlot);
      const statuses = ["issued", "baseline", "refused"] as const;
      await api.ledger.record(
        known.map((sensorId, index) => outcomeOf({ sensorId, status: statuses[index % 3]! })),
        [],
      );
      api.clock.advance(120);

      const seen: string[] = [];
      let cursor: string | null = "";
      for (let round = 0; cursor !== null; round++) {
        const after: string = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
        const page: SensorPage = await getAs(api.app, `/v1/sensors?sort=${sort}&limit=5${after}`, SensorPage);
        seen.push(...page.items.map((sensor) => sensor.sensorId));
        cursor = page.nextCursor;
        // Between two pages a whole cycle comes in which everybody changes place, and sensors join at both ends.
        api.clock.advance(stepSeconds);
        const slot = addSeconds(someSlot, (round + 1) * stepSeconds);
        await api.ledger.rememberSensors([`a-${round}`, `z-${round}`], api.clock.now());
        const next = known.map((sensorId, index) =>
          outcomeOf({ sensorId, slot, status: statuses[(index + round + 1) % 3]! }),
        );
        await api.ledger.record(next, []);
      }

      const old = seen.filter((sensorId) => known.includes(sensorId));
      expect(old.toSorted()).toEqual(known.toSorted());
    },
  );

  it("still answers from the ledger when the follower is away", async () => {
    api = await start();
    api.follower.readWindows = async () => {
      throw new AppError("followerUnavailable", "follower database: connection refused");
    };
    await api.ledger.rememberSensors(["a"], someSlot);
    await api.ledger.record([outcomeOf()], forecastsOf());

    const { items } = await getAs(api.app, "/v1/sensors?view=fleet", FleetPage);

    expect(items[0]!.targets[0]!.forecast!.leads.at(-1)).toBe(24);
    expect(items[0]!.targets[0]!.history).toEqual([]);
    expect(items[0]!.newestReadingAt).toBe(addSeconds(someSlot, -30).toISOString());
    expect(api.log.lines).toContainEqual(expect.objectContaining({ level: "warn", event: "api.sourceUnreadable" }));
  });

  it("finds the same status in the database as core does, for whatever outcome and age", async () => {
    api = await start();
    const statuses = ["issued", "baseline", "refused", "expired"] as const;
    const reasons = [null, "noModel", "staleSource", "gap", "shortHistory", "noReadings", "expired"] as const;
    const before = staleBefore(someSlot, api.services.settings);
    const slots = [before, addSeconds(before, -0.001), someSlot];
    const outcomes = statuses.flatMap((status) =>
      reasons.flatMap((reason) =>
        slots.map((slot, age) => outcomeOf({ sensorId: `${status}-${reason}-${age}`, slot, status, reason })),
      ),
    );
    await api.ledger.rememberSensors([...outcomes.map(({ sensorId }) => sensorId), "none"], someSlot);
    await api.ledger.record(outcomes, []);

    const { views } = api.services;
    const order = await views.sensorOrder({ sort: "attention", isDescending: false, staleBefore: before });
    const rows = await views.sensors(order.sensorIds, before);

    const found = Object.fromEntries(rows.map(({ sensorId, status }) => [sensorId, status]));
    const wanted = outcomes.map((outcome) => [outcome.sensorId, statusOf(outcome, before)]);
    expect(found).toEqual({ ...Object.fromEntries(wanted), none: statusOf(null, before) });
    expect(new Set(rows.map(({ status }) => status))).toEqual(new Set(attentionOrder));
    expect(rows.map(({ status }) => attentionOrder.indexOf(status))).toEqual(
      rows.map(({ status }) => attentionOrder.indexOf(status)).sort((a, b) => a - b),
    );
  });

  it("asks the databases a bounded number of times whatever the page's length", async () => {
    api = await start();
    const sensorIds = Array.from({ length: 60 }, (_, index) => `s${index}`);
    await api.ledger.rememberSensors(sensorIds, someSlot);
    await api.ledger.record(
      sensorIds.map((sensorId) => outcomeOf({ sensorId })),
      sensorIds.flatMap((sensorId) => forecastsOf({ sensorId })),
    );
    let calls = 0;
    for (const [name, view] of Object.entries(api.services.views)) {
      const counted = (...given: unknown[]) => {
        calls++;
        return Reflect.apply(view, null, given);
      };
      Object.assign(api.services.views, { [name]: counted });
    }

    const { items } = await getAs(api.app, "/v1/sensors?view=fleet&limit=60", FleetPage);

    expect(items).toHaveLength(60);
    expect(calls).toBe(5);
    expect(api.follower.queries).toBe(1);
  });

  it.each([
    ["limit=0", "limit"],
    ["limit=201", "limit"],
    ["limit=x", "limit"],
    ["limit=0x10", "limit"],
    ["status=asleep", "status.0"],
    ["sort=luck", "sort"],
    ["view=all", "view"],
    ["offset=-1", "offset"],
    ["changedSince=yesterday", "changedSince"],
  ])("refuses ?%s and names the parameter", async (query, path) => {
    api = await start();
    const problem = await getProblem(api.app, `/v1/sensors?${query}`, 422);
    expect(problem.errors?.[0]?.path).toBe(path);
  });

  it.each([
    "x",
    "e30",
    "bnVsbA",
    "%00",
    Buffer.from('{"sort":"sensorId","revision":"1","offset":1,"sensorId":"a\\u0000"}').toString("base64url"),
  ])("refuses a cursor that it never gave: %s", async (cursor) => {
    api = await start();
    await getProblem(api.app, `/v1/sensors?cursor=${cursor}`, 422);
  });
});

describe("GET /v1/sensors/{id}", () => {
  it("gives one sensor, whatever characters its id has", async () => {
    api = await start();
    const ids = ["a/b", "50% off?", "sensor:train", "'; drop table sensor; --", "<script>", "=1+1", "Küche 🍳", "%2F"];
    await api.ledger.rememberSensors(ids, someSlot);
    for (const id of ids) {
      const sensor = await getAs(api.app, `/v1/sensors/${encodeURIComponent(id)}`, Sensor);
      expect(sensor.sensorId).toBe(id);
    }
  });

  it("answers 404 for a sensor that nobody knows", async () => {
    api = await start();
    const problem = await getProblem(api.app, "/v1/sensors/ghost", 404);
    expect(problem).toMatchObject({ code: "notFound", title: "Not found" });
  });
});
