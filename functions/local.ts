import { AppError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { redact, redactText } from "./adapters/redact.ts";
import { loadConfig } from "./config/environment.ts";
import { startProcesses } from "./machine/processes/system.ts";
import type { System } from "./machine/system.ts";
import { openLog } from "./runtime/process.ts";

/** The one-machine runtime: everything beneath this process until Ctrl-C. */
async function main(): Promise<void> {
  const config = await loadConfig();
  const log = await openLog(config);
  for (const event of ["unhandledRejection", "uncaughtException"] as const) {
    process.on(event, (error: unknown) => fail(error, log));
  }
  const asked = new Promise<string>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => resolve(signal));
  });
  const starting = startProcesses(config, log);
  const signal = await Promise.race([asked, starting.then(() => null)]);
  const system = await starting;
  if (signal === null) console.log(`\n  Forecasts are being made: open ${await firstUrl(system)}\n`);
  log.info("system.stopping", { signal: await asked });
  for (const again of ["SIGINT", "SIGTERM"] as const) process.on(again, () => process.exit(130));
  await system.stop();
  log.info("system.stopped");
}

/** A link that signs in is for a person at a terminal: a log that is shipped elsewhere gets the plain address. */
async function firstUrl({ url, makeSignInUrl }: System): Promise<string> {
  if (makeSignInUrl === null) return url;
  return process.stdout.isTTY ? makeSignInUrl() : `${url} and sign in with a key; npm run keys -- link makes a link`;
}

/** A mistake in the configuration is one line that says what to change; anything else comes with its stack. */
function fail(error: unknown, log?: Log): never {
  const isExpected = error instanceof AppError && (error.code === "misconfigured" || error.code === "conflict");
  if (isExpected) process.stderr.write(`${redactText(error.message)}\n`);
  else if (log) log.error("system.failed", { error });
  else process.stderr.write(`${JSON.stringify(redact(error))}\n`);
  process.exit(1);
}

if (import.meta.main) {
  await main().then(
    () => process.exit(0),
    (error: unknown) => fail(error),
  );
}
