import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import * as z from "zod";
import { commandOf, entryBy } from "../../core/access/audit.ts";
import { faultOf } from "../../core/access/authenticate.ts";
import type { ApiKey } from "../../core/access/key.ts";
import { createKey } from "../../core/access/keys.ts";
import type { ApiKeys, AuditLog, Sessions } from "../../core/access/ports.ts";
import { Scope, scopes } from "../../core/access/scope.ts";
import { makeLink } from "../../core/access/sessions.ts";
import { AppError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { addSeconds } from "../../core/time.ts";
import { loadConfig } from "../config/environment.ts";
import { integerText } from "../config/number.ts";
import { openDatabases } from "../machine/databases.ts";
import { accessPorts } from "../runtime/access.ts";
import { openCurrentPredictor } from "../runtime/predictor.ts";
import { openClock, openLog } from "../runtime/process.ts";

const usage = `npm run keys -- create --name NAME --scopes read,ops [--days 90]   shown once; scopes: ${scopes.join(", ")}
npm run keys -- list
npm run keys -- revoke KEYID
npm run keys -- link                                               a sign-in to the dashboard, good once, for 15 minutes`;

export type KeysPorts = { clock: Pick<Clock, "now">; keys: ApiKeys; sessions: Sessions; audit: AuditLog };

const Options = z.object({
  name: z.string().trim().min(1).max(100).optional(),
  scopes: z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(Scope).min(1))
    .optional(),
  days: integerText(1, 3_650).optional(),
});

/** Runs one subcommand; gives the text to print. Throws AppError with the reason for whatever is refused. */
export async function runKeys(ports: KeysPorts, user: string, args: string[]): Promise<string> {
  const { command, subject, options } = parse(args);
  const note = (action: string, object: string) =>
    ports.audit.record(entryBy(commandOf(user), { at: ports.clock.now(), action, object, result: "ok" }));
  switch (command) {
    case "create": {
      const { days } = options;
      const { key, token } = await createKey(ports, {
        name: wanted(options.name, "--name"),
        scopes: wanted(options.scopes, "--scopes"),
        expiresAt: days === undefined ? null : addSeconds(ports.clock.now(), days * 86_400),
        createdBy: user,
      });
      await note("key.create", `keys/${key.keyId}`);
      return `${token}\n\nThis is key ${key.keyId}, with ${key.scopes.join(", ")}. It is shown this once.`;
    }
    case "list":
      return tableOf(await ports.keys.list(), ports.clock.now());
    case "revoke": {
      const keyId = wanted(subject, "a key's id");
      const key = await ports.keys.revoke(keyId, ports.clock.now());
      if (key === null) throw new AppError("notFound", `key ${keyId} does not exist; npm run keys -- list shows all`);
      await note("key.revoke", `keys/${keyId}`);
      return `${keyId} (${key.name}) is revoked`;
    }
    case "link": {
      const token = await makeLink(ports);
      await note("link.create", "sign-in");
      return `Open this behind the dashboard's address, within 15 minutes:\n\n  /sign-in#link=${token}`;
    }
    default:
      throw new AppError("badInput", usage);
  }
}

function tableOf(keys: ApiKey[], now: Date): string {
  const table = new Table({
    head: ["key", "name", "scopes", "state", "expires", "last used", "made by"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  });
  const day = (at: Date | null) => at?.toISOString().slice(0, 16).replace("T", " ") ?? "never";
  for (const key of keys) {
    const state = faultOf(key, now) ?? "good";
    table.push([
      key.keyId,
      key.name,
      key.scopes.join(" "),
      state,
      day(key.expiresAt),
      day(key.lastUsedAt),
      key.createdBy,
    ]);
  }
  return table.toString();
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: text, scopes: text, days: text },
  });
  const options = Options.safeParse(values);
  if (!options.success) throw new AppError("badInput", `${z.prettifyError(options.error)}\n${usage}`);
  const [command, subject] = positionals;
  return { command, subject, options: options.data };
}

function wanted<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new AppError("badInput", `${what} is missing\n${usage}`);
}

async function main(): Promise<string> {
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const log = await openLog({ ...given, logLevel: "error" });
  const needs = { follower: false, predictor: true };
  const { config } = await openDatabases(given, log, opened, { needs, mayShare: true });
  const { predictor } = await openCurrentPredictor(config, opened, 1);
  return await runKeys(
    { clock: openClock(config, null), ...accessPorts(predictor) },
    userInfo().username,
    process.argv.slice(2),
  );
}

if (import.meta.main) {
  try {
    console.log(await main());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
