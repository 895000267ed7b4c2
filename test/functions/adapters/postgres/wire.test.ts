import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../../../functions/adapters/postgres/connection/pool.ts";
import { startTestPostgres, type TestPostgres } from "../../../postgres.ts";
import { type Relay, startRelay, type Wire } from "../../../relay.ts";

const endings = Number(process.env.WIRE_ENDINGS ?? 200);

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres?.stop());

async function through<T>(
  wireOf: (connection: number) => Wire,
  work: (database: Database<unknown>, relay: Relay) => Promise<T>,
) {
  const relay = await startRelay(postgres.url, wireOf);
  const database = openDatabase<unknown>({ url: relay.urlOf(postgres.url), side: "predictor", max: 2 });
  try {
    return await work(database, relay);
  } finally {
    await database.close();
    await relay.close();
  }
}

const numbers = "select i, repeat('x', 100) as text from generate_series(1, 200) as i";

describe("what may come over the wire", () => {
  it(`outlives a FATAL in the same chunk as ReadyForQuery, ${endings} times`, async () => {
    const uncaught: unknown[] = [];
    const listen = (error: unknown) => void uncaught.push(error);
    // Vitest's own listeners would end the run at the first one; here they are counted.
    const before = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", listen);
    try {
      const codes = await through(
        (connection) => (connection < endings ? { isEndedWhenReady: true } : {}),
        async (database) => {
          const seen = new Set<unknown>();
          for (let i = 0; i < endings; i++) {
            seen.add(
              await database.query("select 1").then(
                () => "answered",
                (error) => error.code,
              ),
            );
          }
          expect(await database.query("select 1 as one")).toEqual([{ one: 1 }]);
          return seen;
        },
      );
      expect(uncaught).toEqual([]);
      expect([...codes]).toEqual(["predictorUnavailable"]);
    } finally {
      process.removeListener("uncaughtException", listen);
      for (const listener of before) process.on("uncaughtException", listener);
    }
  });

  it("reads the same rows from single bytes, odd pieces and merged chunks", async () => {
    const whole = await through(
      () => ({}),
      (database) => database.query(numbers),
    );
    for (const wire of [{ splitBytes: 1 }, { splitBytes: 7 }, { mergeMs: 5 }, { mergeMs: 5, splitBytes: 4096 }]) {
      expect(
        await through(
          () => wire,
          (database) => database.query(numbers),
        ),
      ).toEqual(whole);
    }
  });

  it("gives an answer that is cut anywhere as a fault that a retry cures, on a new connection", async () => {
    for (const cutAfterBytes of [1, 9, 400, 500, 5_000, 20_000]) {
      const wireOf = (connection: number) => (connection === 0 ? { cutAfterBytes } : {});
      await through(wireOf, async (database, relay) => {
        await expect(database.query(numbers), `cut after ${cutAfterBytes}`).rejects.toMatchObject({
          code: "predictorUnavailable",
        });
        expect(await database.query(numbers)).toHaveLength(200);
        expect(relay.connections()).toBe(2);
      });
    }
  });

  it("leaves nothing of a transaction whose commit was cut", async () => {
    const url = await postgres.createDatabase();
    const direct = openDatabase<unknown>({ url, side: "predictor", max: 1 });
    await direct.query("create table entry (id integer)");
    const relay = await startRelay(postgres.url, (connection) => (connection === 0 ? { cutAfterBytes: 700 } : {}));
    const database = openDatabase<{ entry: { id: number } }>({ url: relay.urlOf(url), side: "predictor", max: 1 });
    const store = database.db.transaction().execute(async (trx) => {
      for (let id = 0; id < 20; id++) await trx.insertInto("entry").values({ id }).execute();
    });
    await expect(store).rejects.toMatchObject({ code: "predictorUnavailable" });
    expect(await direct.query("select * from entry")).toEqual([]);
    await Promise.all([database.close(), direct.close()]);
    await relay.close();
  });
});
