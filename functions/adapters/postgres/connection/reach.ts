import pg from "pg";
import { describePlace } from "../../../config/connection.ts";
import { mapFault, type Side } from "./faults.ts";
import { connectionOf, type DriverOptions, driverOptions, nextWay, type Way, waysOf } from "./transport.ts";

/**
 * What a library that opens its own pool needs to reach the database at `url`: found out by connecting once. `isPooled`
 * tells of a pooler between, where no session lasts. Throws AppError.
 */
export async function reachable(url: string, side: Side): Promise<{ options: DriverOptions; isPooled: boolean }> {
  const connection = connectionOf(url, side);
  const ways = waysOf(connection, side);
  let [way] = ways;
  for (;;) {
    const tried: Way = way ?? { ssl: false, isPooled: connection.isPooled };
    const options = driverOptions(connection, tried);
    const settings = tried.isPooled ? {} : { statement_timeout: 10_000 };
    const client = new pg.Client({ ...options, ...settings, connectionTimeoutMillis: 10_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.end();
      return { options, isPooled: tried.isPooled };
    } catch (error) {
      const next = nextWay(ways, tried, error);
      if (next === null) throw mapFault(error, side, describePlace(connection));
      way = next;
    }
  }
}
