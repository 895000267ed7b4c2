import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import { type DeadLetter, queueNames } from "../../core/messages.ts";
import { type RedrivePorts, redrive } from "../../core/operations/redrive.ts";
import type { DeadLetters } from "../../core/ports.ts";
import { loadConfig } from "../config/environment.ts";
import { integerText } from "../config/number.ts";
import { openQueueRuntime } from "../runtime.ts";

const usage = `npm run queue -- dead [--queue Q] [--limit 50] [--json]   what failed at every delivery, and why
npm run queue -- redrive [--queue Q] [IDS...]             sends it back: all, of one queue, or those of these ids; queues: ${queueNames.join(", ")}`;

export type QueuePorts = Omit<RedrivePorts, "deadLetters"> & { deadLetters: DeadLetters };

const Options = z.object({
  queue: z
    .enum(queueNames)
    .transform((name) => [name])
    .default([...queueNames]),
  limit: integerText(1, 10_000).default(50),
  json: z.boolean().default(false),
});

/** Runs one subcommand; gives the text to print. Throws AppError with the reason for whatever is refused. */
export async function runQueue(ports: QueuePorts, user: string, args: string[]): Promise<string> {
  const { command, ids, options } = parse(args);
  const { queue: queues, limit, json } = options;
  if (command === "dead" && ids.length === 0) {
    const { count, first } = await ports.deadLetters.list(queues, limit);
    return json ? JSON.stringify({ count, items: first }, null, 2) : tableOf(count, first, ports.clock.now());
  }
  if (command !== "redrive") throw new AppError("badInput", usage);
  const moved = await redrive(ports, user, { queues, ...(ids.length > 0 ? { ids } : {}) });
  const total = [...moved.values()].reduce((sum, one) => sum + one, 0);
  const asked = ids.length === 0 ? "" : ` of ${ids.length}`;
  const perQueue = [...moved].filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  const where = perQueue.length === 0 ? "" : `: ${perQueue.join(", ")}`;
  if (total >= ids.length) return `${total}${asked} sent back${where}`;
  throw new AppError("notFound", `${total}${asked} sent back${where}; the others are not among the dead letters`);
}

const shownBody = 200;

function tableOf(count: number, letters: DeadLetter[], now: Date): string {
  if (letters.length === 0) return "no dead letters";
  const table = new Table({ head: ["id", "queue", "sent", "reason", "message"], style: { head: [], border: [] } });
  for (const { id, queue, sentAt, reason, body } of letters)
    table.push([id, queue, `${ageOf(sentAt, now)} ago`, wrapped(reason ?? "ended without an answer"), shown(body)]);
  const more = count > letters.length ? `; these are the ${letters.length} sent last` : "";
  return `${table}\n${count} in all${more}`;
}

function ageOf(at: Date, now: Date): string {
  const minutes = Math.max(0, Math.round((now.getTime() - at.getTime()) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2_880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1_440)} d`;
}

function shown(body: unknown): string {
  const text = JSON.stringify(body);
  return wrapped(text.length <= shownBody ? text : `${text.slice(0, shownBody)}… (--json shows all)`);
}

/** In lines of at most 60 characters. */
function wrapped(text: string): string {
  return text.match(/.{1,60}/gs)?.join("\n") ?? "";
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { queue: text, limit: text, json: { type: "boolean" } },
  });
  const options = Options.safeParse(values);
  if (!options.success) throw new AppError("badInput", `${z.prettifyError(options.error)}\n${usage}`);
  const [command, ...ids] = positionals;
  return { command, ids, options: options.data };
}

if (import.meta.main) {
  try {
    await using opened = new AsyncDisposableStack();
    const ports = await openQueueRuntime(await loadConfig(), opened);
    console.log(await runQueue(ports, userInfo().username, process.argv.slice(2)));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
