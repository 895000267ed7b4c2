import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSeconds } from "../../../core/time.ts";
import { Profile, Sensor, SensorPage } from "../../../functions/api/contract/sensors.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { forecastOf, getAs, getProblem, outcomeOf, startApi, type TestApi } from "./harness.ts";

let postgres: TestPostgres;
let api: TestApi;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
beforeEach(async () => {
  api = await startApi(postgres);
  await api.ledger.rememberSensors(["a", "b", "c"], someSlot);
});
afterEach(() => api.close());
afterAll(() => postgres.stop());

const patch = (body: unknown): RequestInit => ({
  method: "PATCH",
  body: JSON.stringify(body),
  headers: { "Content-Type": "application/json" },
});
const ids = async (query: string) =>
  (await getAs(api.app, `/v1/sensors?${query}`, SensorPage)).items.map(({ sensorId }) => sensorId);

describe("PATCH /v1/sensors/{id}", () => {
  it("changes what it names, keeps the rest and takes back what is null", async () => {
    await getAs(api.app, "/v1/sensors/a", Profile, patch({ name: "Attic", group: " north / attic ", notes: "dusty" }));
    await getAs(api.app, "/v1/sensors/a", Profile, patch({ limits: { temperature: { low: null, high: 26 } } }));
    const limits = { humidity: { low: 30, high: 60 } };
    await getAs(api.app, "/v1/sensors/a", Profile, patch({ limits, notes: null }));
    const { profile } = await getAs(api.app, "/v1/sensors/a", Sensor);
    expect(profile).toEqual({
      ...{ name: "Attic", group: "north/attic", place: null, notes: null },
      limits: { temperature: { low: null, high: 26 }, humidity: { low: 30, high: 60 } },
    });
    const { limits: left } = await getAs(api.app, "/v1/sensors/a", Profile, patch({ limits: { humidity: null } }));
    expect(Object.keys(left)).toEqual(["temperature"]);
  });

  it("keeps both of two changes that come at once", async () => {
    const parts = [{ name: "n" }, { place: "p" }, { notes: "o" }, { limits: { temperature: { low: 1, high: 2 } } }];
    await Promise.all(parts.map((part) => getAs(api.app, "/v1/sensors/a", Profile, patch(part))));
    const { profile } = await getAs(api.app, "/v1/sensors/a", Sensor);
    expect(profile).toMatchObject({ name: "n", place: "p", notes: "o", limits: { temperature: { low: 1, high: 2 } } });
  });

  it("says in words how likely its own limits are crossed, and nothing where nobody can", async () => {
    const decide = (overrides: Parameters<typeof outcomeOf>[0], slot = someSlot) =>
      api.ledger.record([outcomeOf({ slot, ...overrides })], [forecastOf({ slot, origin: slot })]);
    await decide({});
    const limits = async (low: number | null, high: number | null) => {
      await getAs(api.app, "/v1/sensors/a", Profile, patch({ limits: { temperature: { low, high } } }));
      return (await getAs(api.app, "/v1/sensors/a", Sensor)).targets[0]!.crossings;
    };
    // q50 goes from 20.25 to 26: above 23 about half way, surely; below 19 hardly.
    const [above, below] = (await limits(19, 23))!;
    expect(above).toMatchObject({ side: "above", limit: 23, isBeyond: false });
    expect(above!.chance).toBeGreaterThan(0.99);
    expect(above!.text).toBe(`above 23 °C from about ${above!.crossesAt.slice(11, 16)} UTC, over 99 %`);
    const after = (Date.parse(above!.crossesAt) - someSlot.getTime()) / 600_000;
    expect(after).toBeGreaterThan(6);
    expect(after).toBeLessThanOrEqual(13);
    expect(below!.chance).toBeLessThan(0.3);
    expect(await limits(21, null)).toMatchObject([{ side: "below", isBeyond: true, text: "below 21 °C now" }]);
    expect(await limits(null, null)).toEqual([]);
    await decide({ status: "refused", reason: "gap" }, addSeconds(someSlot, 600));
    expect(await limits(19, 23)).toBeNull();
  });

  it("refuses limits that contradict each other, unknown targets, empty groups and unknown sensors", async () => {
    const said = async (body: unknown, id = "a", status = 422) =>
      (await getProblem(api.app, `/v1/sensors/${id}`, status, patch(body))).detail;
    expect(await said({ limits: { temperature: { low: 5, high: 5 } } })).toContain("low must be below high");
    expect(await said({ limits: { pressure: { low: 5, high: 6 } } })).toContain("no target pressure");
    expect(await said({ group: "a//b" })).toContain("site/building/room");
    expect(await said({ colour: "red" })).toContain("colour");
    await said({ name: "x" }, "nobody", 404);
  });

  it("is written down in the audit", async () => {
    await getAs(api.app, "/v1/sensors/a", Profile, patch({ name: "Attic" }));
    const [entry] = await api.services.access.audit.list({ limit: 1, before: null });
    expect(entry).toMatchObject({ action: "sensor.edit", object: "sensors/a", result: "ok" });
  });
});

describe("GET /v1/sensors with names and groups", () => {
  it("finds sensors by name, group and place, and those within a group", async () => {
    const { profiles } = api.services.ports;
    await profiles.change("a", { name: "Kitchen", group: "north/ground" }, someSlot);
    await profiles.change("b", { place: "by the stairs", group: "north-east" }, someSlot);
    expect(await ids("q=KITCH")).toEqual(["a"]);
    expect(await ids("q=stairs")).toEqual(["b"]);
    expect(await ids("q=north")).toEqual(["a", "b"]);
    expect(await ids("group=north")).toEqual(["a"]);
    expect(await ids("group=north/ground")).toEqual(["a"]);
    expect(await ids("group=nort")).toEqual([]);
    // Two fields are no text that goes on from one to the other.
    expect(await ids("q=kitchennorth")).toEqual([]);
  });

  it("shows what the source says until somebody edits it, and again once the edit is taken back", async () => {
    const { profiles } = api.services.ports;
    const source = { sensorId: "a", name: "S-17", group: "site", place: null };
    await profiles.saveSource([source], someSlot);
    await profiles.change("a", { name: "Kitchen" }, someSlot);
    await profiles.saveSource([{ ...source, name: "S-18", group: "other" }], addSeconds(someSlot, 60));
    expect((await profiles.load(["a"])).get("a")).toMatchObject({ name: "Kitchen", group: "other" });
    expect(await ids("q=S-18")).toEqual([]);
    await profiles.change("a", { name: null }, someSlot);
    expect((await profiles.load(["a"])).get("a")).toMatchObject({ name: "S-18" });
    expect(await ids("group=other&q=s-18")).toEqual(["a"]);
  });
});
