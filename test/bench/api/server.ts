import { systemClock } from "../../../functions/adapters/clock.ts";
import { postgresFollower } from "../../../functions/adapters/postgres/follower.ts";
import { openDatabase } from "../../../functions/adapters/postgres/pool.ts";
import { isApiPath } from "../../../functions/api/app.ts";
import { readSources } from "../../../functions/config/source.ts";
import { listen } from "../../../functions/machine/server.ts";
import { fleetOf } from "../../builders.ts";
import { startApi } from "../../functions/api/harness.ts";
import type { TestPostgres } from "../../postgres.ts";
import type { ApiAnswer, ApiQuestion } from "./fleet.ts";

// The API alone, for bench:api: argument is the URL of a database that holds predictor and source.
const url = process.argv[2] ?? "";
const clock = systemClock();
const source = openDatabase<unknown>({ url, side: "follower", max: 4 });
const [mapping] = await readSources(null);
const follower = postgresFollower(source, mapping!, clock);
const none = {} as TestPostgres;
const { services } = await startApi(none, { url });
Object.assign(services.ports, { clock, follower });
Object.assign(services.settings, { revisionMs: 1_000, targets: fleetOf().targets });
const { createApi } = await import("../../../functions/api/app.ts");
const app = createApi(services);
const fetch = (asked: Request, env?: object) =>
  isApiPath(new URL(asked.url).pathname) ? app.fetch(asked, env) : new Response(null, { status: 404 });
const server = await listen(fetch, { host: "127.0.0.1", port: 0 });

const tell = (answer: ApiAnswer) => process.send?.(answer);
process.on("message", (what: ApiQuestion) => {
  const { user, system } = process.cpuUsage();
  tell({ what, value: what === "cpu" ? (user + system) / 1_000 : process.memoryUsage().rss });
});
tell({ what: "port", value: Number(new URL(server.url).port) });
