import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addSeconds } from "../../../core/time.ts";
import { AnnotationPage, AnnotationResponse } from "../../../functions/api/contract/annotations.ts";
import { someSlot } from "../../builders.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";
import { getAs, getProblem, post, startApi, type TestApi } from "./harness.ts";

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

const hour = (hours: number) => addSeconds(someSlot, hours * 3_600).toISOString();
const outage = { sensorId: "a", kind: "outage", from: hour(-3), to: hour(-1), text: "plug pulled" };
const make = (body: Record<string, unknown> = {}, status = 201) =>
  getAs(api.app, "/v1/annotations", AnnotationResponse, { ...post({ ...outage, ...body }), status });
const list = async (query = "") =>
  (await getAs(api.app, `/v1/annotations?${query}`, AnnotationPage)).items.map(({ text }) => text);
const change = (id: string, body: unknown): [string, typeof AnnotationResponse, RequestInit] => [
  `/v1/annotations/${id}`,
  AnnotationResponse,
  { ...post(body), method: "PATCH" },
];

describe("/v1/annotations", () => {
  it("marks a stretch, and makes one of what is asked twice", async () => {
    const made = await make();
    expect(made).toMatchObject({ ...outage, target: null, disturbs: true, createdAt: someSlot.toISOString() });
    expect(await make({}, 200)).toEqual(made);
    // The same moments in another offset are the same.
    const offset = outage.from.replace("T09:00:00.000Z", "T11:00:00+02:00");
    expect(await make({ from: offset }, 200)).toEqual(made);
    expect(await getAs(api.app, `/v1/annotations/${made.annotationId}`, AnnotationResponse)).toEqual(made);
    expect(await make({ kind: "event", to: null })).toMatchObject({ disturbs: false, to: null });
  });

  it("lists by sensor, kind and range, a page at a time", async () => {
    for (const n of [1, 2, 3, 4]) await make({ text: `n${n}`, from: hour(-10 + n), to: hour(-9 + n) });
    await make({ sensorId: "b", text: "other", kind: "open window" });
    expect(await list("sensorId=a")).toEqual(["n4", "n3", "n2", "n1"]);
    expect(await list("kind=open%20window")).toEqual(["other"]);
    expect(await list(`sensorId=a&from=${hour(-8)}&to=${hour(-7)}`)).toEqual(["n2"]);
    const first = await getAs(api.app, "/v1/annotations?sensorId=a&limit=3", AnnotationPage);
    expect(await list(`sensorId=a&limit=3&cursor=${first.nextCursor}`)).toEqual(["n1"]);
  });

  it("changes what it names, and keeps the rest", async () => {
    const { annotationId } = await make();
    expect(await getAs(api.app, ...change(annotationId, { to: null, target: "humidity" }))).toMatchObject({
      ...outage,
      ...{ to: null, target: "humidity" },
    });
    expect(await getAs(api.app, ...change(annotationId, { kind: "event" }))).toMatchObject({ to: null, kind: "event" });
  });

  it("takes back, and brings back what was taken back", async () => {
    const { annotationId } = await make();
    const path = `/v1/annotations/${annotationId}`;
    const removed = await getAs(api.app, path, AnnotationResponse, { method: "DELETE" });
    expect(removed).toMatchObject({ removedAt: someSlot.toISOString(), disturbs: false });
    expect(await list()).toEqual([]);
    expect(await list("removed=true")).toEqual(["plug pulled"]);
    expect((await getProblem(api.app, path, 409, { ...post({ text: "x" }), method: "PATCH" })).detail).toContain(
      "restore it",
    );
    expect(await getAs(api.app, `${path}:restore`, AnnotationResponse, { method: "POST" })).toMatchObject({
      removedAt: null,
      disturbs: true,
    });
    await getAs(api.app, path, AnnotationResponse, { method: "DELETE" });
    await make();
    expect((await getProblem(api.app, `${path}:restore`, 409, { method: "POST" })).detail).toContain("the same");
  });

  it("refuses ranges without time, unknown sensors, targets and kinds, and says the numbers", async () => {
    const problem = (body: Record<string, unknown>, status = 422) =>
      getProblem(api.app, "/v1/annotations", status, post({ ...outage, ...body }));
    const backwards = await problem({ from: hour(-1), to: hour(-3) });
    expect(backwards).toMatchObject({ have: -7_200, need: 1, errors: [{ path: "to" }] });
    expect(backwards.detail).toContain("-7200 s");
    expect((await problem({ to: outage.from })).detail).toContain("would last 0 s");
    expect((await problem({ target: "pressure" })).detail).toContain("temperature, humidity are");
    expect((await problem({ kind: "party" })).detail).toContain("open window");
    expect((await problem({ text: "  " })).detail).toContain("text");
    expect((await problem({ from: "yesterday" })).detail).toContain("such as");
    expect((await problem({ sensorId: "nobody" }, 404)).detail).toContain("nobody");
    const { annotationId } = await make();
    const late = { ...post({ from: hour(1) }), method: "PATCH" };
    expect((await getProblem(api.app, `/v1/annotations/${annotationId}`, 422, late)).have).toBe(-7_200);
    await getProblem(api.app, "/v1/annotations/none", 404);
    await getProblem(api.app, "/v1/annotations/none", 404, { method: "DELETE" });
  });

  it("is written down in the audit", async () => {
    const { annotationId } = await make();
    const path = `/v1/annotations/${annotationId}`;
    await getAs(api.app, ...change(annotationId, { text: "plug pulled out" }));
    await getAs(api.app, path, AnnotationResponse, { method: "DELETE" });
    await getAs(api.app, `${path}:restore`, AnnotationResponse, { method: "POST" });
    const entries = await api.services.access.audit.list({ limit: 9, before: null });
    expect(entries.map(({ action }) => action)).toEqual(
      ["restore", "remove", "edit", "create"].map((verb) => `annotation.${verb}`),
    );
    expect(new Set(entries.map(({ object }) => object))).toEqual(new Set([`annotations/${annotationId}`]));
  });
});
