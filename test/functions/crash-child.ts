import { z } from "zod";
import { createLog } from "../../functions/adapters/log.ts";
import { readConfig } from "../../functions/config/environment.ts";
import { startSystem } from "../../functions/machine/system.ts";
import { testClock } from "../fakes/clock.ts";

/** The whole system as a process of its own that a test may kill; the test sets its clock by messages. */
const { now, environment } = z
  .object({ now: z.iso.datetime(), environment: z.record(z.string(), z.string()) })
  .parse(JSON.parse(process.argv[2] ?? ""));
const clock = testClock(new Date(now));
process.on("message", (message) => clock.set(new Date(String(message))));
process.on("disconnect", () => process.exit(1));
const log = await createLog({ level: "warn", isPretty: false });
await startSystem(readConfig(environment), log, { clock, isAlone: true });
process.send?.("started");
