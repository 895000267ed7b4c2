import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { moveRevision } from "../../../functions/adapters/postgres/revision.ts";
import { someSlot } from "../../builders.ts";
import { forecastsOf, outcomeOf, type TestApi } from "./harness.ts";
import { apiStarter } from "./starter.ts";

const starter = apiStarter();

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** An API that asks for the revision each second, `count` decided sensors, and a gate for the reads of their rows. */
async function start(count: number) {
  const api = await starter({ settings: { revisionMs: 1_000 } });
  const ids = Array.from({ length: count }, (_, i) => `s${i}`);
  await api.ledger.rememberSensors(ids, someSlot);
  await api.ledger.record(
    ids.map((sensorId) => outcomeOf({ sensorId })),
    ids.flatMap((sensorId) => forecastsOf({ sensorId })),
  );
  const reads: string[] = [];
  const state = { gate: async () => {} };
  const { sensors } = api.services.views;
  api.services.views.sensors = async (...given) => {
    reads.push(...given[0]);
    await state.gate();
    return sensors(...given);
  };
  return { api, reads, state };
}

type Named = { profile: { name: string | null } };

async function nameOf(api: TestApi, sensorId: string): Promise<string | null> {
  const response = await api.app.request(`/v1/sensors/${sensorId}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as Named).profile.name;
}

/** As another process does it. */
const rename = (api: TestApi, sensorId: string, name: string) =>
  api.services.ports.profiles.change(sensorId, { name }, someSlot);

/** Holds the reads of rows back until the answer is called. */
function hold(state: { gate: () => Promise<void> }): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  state.gate = () => promise;
  return resolve;
}

test("many commits between reads lead to few reads of the database", async () => {
  const { api, reads } = await start(3);
  for (let i = 0; i < 300; i++) {
    await moveRevision(api.db);
    await nameOf(api, `s${i % 3}`);
    vi.advanceTimersByTime(100);
  }
  expect(reads.length).toBeLessThan(3 * 8);
});

test("while one makes an answer anew the others are given what there is, and then the new one", async () => {
  const { api, reads, state } = await start(1);
  expect(await nameOf(api, "s0")).toBeNull();
  await rename(api, "s0", "Hall");
  vi.advanceTimersByTime(1_000);
  const release = hold(state);
  const renewing = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(2);
  expect(await nameOf(api, "s0")).toBeNull();
  expect(await nameOf(api, "s0")).toBeNull();
  expect(reads.length).toBe(2);
  release();
  expect(await renewing).toBe("Hall");
  expect(await nameOf(api, "s0")).toBe("Hall");
  expect(reads.length).toBe(2);
});

test("few answers are made anew at once, and those that wait for their turn come to it", async () => {
  const { api, reads, state } = await start(4);
  for (let i = 0; i < 4; i++) await nameOf(api, `s${i}`);
  for (let i = 0; i < 4; i++) await rename(api, `s${i}`, "Hall");
  vi.advanceTimersByTime(1_000);
  const release = hold(state);
  const first = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(5);
  const second = nameOf(api, "s1");
  await expect.poll(() => reads.length).toBe(6);
  expect(await nameOf(api, "s2")).toBeNull();
  expect(await nameOf(api, "s3")).toBeNull();
  release();
  expect(await Promise.all([first, second])).toEqual(["Hall", "Hall"]);
  expect(await nameOf(api, "s2")).toBe("Hall");
  expect(await nameOf(api, "s3")).toBe("Hall");
});

test("nothing older than ten seconds is given, however long it takes to make it anew", async () => {
  const { api, reads, state } = await start(1);
  await nameOf(api, "s0");
  await rename(api, "s0", "Hall");
  vi.advanceTimersByTime(1_000);
  const release = hold(state);
  const renewing = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(2);
  vi.advanceTimersByTime(8_900);
  expect(await nameOf(api, "s0")).toBeNull();
  vi.advanceTimersByTime(200);
  const late = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(3);
  release();
  expect(await Promise.all([renewing, late])).toEqual(["Hall", "Hall"]);
});

test("a renewal that fails is somebody else's to do", async () => {
  const { api, state } = await start(1);
  await nameOf(api, "s0");
  await rename(api, "s0", "Hall");
  vi.advanceTimersByTime(1_000);
  state.gate = () => Promise.reject(new Error("connection lost"));
  expect((await api.app.request("/v1/sensors/s0")).status).toBe(500);
  state.gate = async () => {};
  expect(await nameOf(api, "s0")).toBe("Hall");
});

test("what was changed through this process is seen at once, also while an answer is made anew", async () => {
  const { api, reads, state } = await start(1);
  await nameOf(api, "s0");
  await moveRevision(api.db);
  vi.advanceTimersByTime(1_000);
  const release = hold(state);
  const renewing = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(2);
  const change = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: '{"name":"Hall"}' };
  expect((await api.app.request("/v1/sensors/s0", change)).status).toBe(200);
  const after = nameOf(api, "s0");
  await expect.poll(() => reads.length).toBe(3);
  release();
  expect(await after).toBe("Hall");
  await renewing;
  expect(await nameOf(api, "s0")).toBe("Hall");
});

test("a list shows at once what was changed through this process, however long its order took to make", async () => {
  const { api } = await start(3);
  const { sensorOrder } = api.services.views;
  api.services.views.sensorOrder = async (query) => {
    vi.advanceTimersByTime(500);
    return sensorOrder(query);
  };
  const found = async () => {
    const response = await api.app.request("/v1/sensors?q=hall");
    return ((await response.json()) as { items: { sensorId: string }[] }).items.map(({ sensorId }) => sensorId);
  };
  expect(await found()).toEqual([]);
  const change = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: '{"name":"Hall"}' };
  await api.app.request("/v1/sensors/s1", change);
  expect(await found()).toEqual(["s1"]);
});
