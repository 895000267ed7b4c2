import { notify } from "../../core/operations/notify.ts";
import { systemClock } from "../../functions/adapters/clock.ts";
import { webhookSender } from "../../functions/adapters/notify/http.ts";
import { openDatabase } from "../../functions/adapters/postgres/connection/pool.ts";
import { postgresLeases } from "../../functions/adapters/postgres/leases.ts";
import type { PredictorSchema } from "../../functions/adapters/postgres/schema.ts";
import { alertStores } from "../../functions/runtime/alerts.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryQueue } from "../fakes/queue.ts";

/** Tells what is due on channel c1, and is killed before or after the call `DIES_AT` of those that matter. */
const { DATABASE_URL: url = "", DIES_AT: diesAt = "0" } = process.env;
let calls = 0;
const die = () => {
  calls++;
  if (calls === Number(diesAt)) process.kill(process.pid, "SIGKILL");
};
const mortal = <T extends object>(port: T): T =>
  new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== "function") return value;
      return async (...given: unknown[]) => {
        die();
        const result = await value.apply(target, given);
        die();
        return result;
      };
    },
  });

const database = openDatabase<PredictorSchema>({ url, side: "predictor", max: 2 });
const wall = systemClock();
const { outbox } = alertStores(database, { alertSecretKey: "k".repeat(32) });
const { send } = mortal({ send: webhookSender({ wall, privateHosts: ["127.0.0.1"] }) });
const leases = postgresLeases(database.db);
const ports = {
  log: quietLog(),
  queue: memoryQueue(),
  wall,
  leases,
  send,
  outbox: mortal(outbox),
  newHolder: () => "child",
};
await notify(ports, { channelId: "c1", slot: wall.now() });
await database.close();
process.stdout.write("done");
