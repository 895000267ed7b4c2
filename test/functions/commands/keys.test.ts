import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { authenticateKey } from "../../../core/access/authenticate.ts";
import { takeLink } from "../../../core/access/sessions.ts";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { type KeysPorts, runKeys } from "../../../functions/commands/keys.ts";
import { accessPorts } from "../../../functions/runtime/access.ts";
import { someSlot } from "../../builders.ts";
import { testClock } from "../../fakes/clock.ts";
import { startTestPostgres, type TestPostgres } from "../../postgres.ts";

let postgres: TestPostgres;
let clock: ReturnType<typeof testClock>;
let ports: KeysPorts;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  const url = await postgres.createPredictorDatabase();
  const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 2 });
  clock = testClock(someSlot);
  ports = { clock, ...accessPorts(database) };
  return database.close;
});

const run = (...args: string[]) => runKeys(ports, "ada", args);

describe("npm run keys", () => {
  it("makes a key that is good for its days, lists it without its secret, and revokes it", async () => {
    const [token = ""] = (await run("create", "--name", "grafana", "--scopes", "read,ops", "--days", "2")).split("\n");
    const ask = () => authenticateKey(ports, token, null);
    expect(await ask()).toMatchObject({ ok: true, actor: { kind: "key", name: "grafana", scopes: ["read", "ops"] } });
    const list = await run("list");
    expect(list).toMatch(/grafana.*read ops.*good.*ada/);
    expect(list).not.toContain(token.slice(17));
    clock.advance(2 * 86_400);
    expect(await ask()).toEqual({ ok: false, fault: "expired" });
    expect(await run("list")).toContain("expired");
    const keyId = token.split("_")[1]!;
    expect(await run("revoke", keyId)).toContain("is revoked");
    expect(await ask()).toEqual({ ok: false, fault: "revoked" });
    const audited = await ports.audit.list({ limit: 9, before: null });
    expect(audited.map(({ action, object, actorKind, actorName }) => [action, object, actorKind, actorName])).toEqual([
      ["key.revoke", `keys/${keyId}`, "command", "ada"],
      ["key.create", `keys/${keyId}`, "command", "ada"],
    ]);
  });

  it("makes a link that signs in once", async () => {
    const link = /\/sign-in#link=(\w+)/.exec(await run("link"))?.[1] ?? "";
    expect(await takeLink(ports, link)).toMatchObject({ scopes: ["admin"] });
    expect(await takeLink(ports, link)).toBeNull();
  });

  it.each([
    [["create", "--scopes", "read"], /--name is missing/],
    [["create", "--name", "x", "--scopes", "root"], /scopes/],
    [["create", "--name", "x", "--scopes", "read", "--days", "0"], /days/],
    [["revoke", "nobody"], /key nobody does not exist/],
    [["help"], /npm run keys -- create/],
  ])("refuses %j", async (args, message) => {
    await expect(run(...args)).rejects.toThrow(message);
  });
});
