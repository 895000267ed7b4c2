import { parseArgs } from "node:util";
import Table from "cli-table3";
import * as z from "zod";
import { AppError } from "../../core/errors.ts";
import { type Verified, type VerifyPorts, type VerifySettings, verify } from "../../core/operations/verify.ts";
import { addSeconds } from "../../core/time.ts";
import { loadConfig } from "../config/environment.ts";
import { integerText } from "../config/number.ts";
import { openVerifyRuntime } from "../runtime.ts";

const usage = `npm run verify -- [--from TIME] [--to TIME] [--sample 50] [--json]   slots of the last 7 days unless given; ISO times`;

const defaultSeconds = 7 * 86_400;
const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform((text) => new Date(text));
const Options = z.object({
  from: time.optional(),
  to: time.optional(),
  sample: integerText(0, 100_000).default(50),
  json: z.boolean().default(false),
});

/** Checks every rule; gives the text to print and whether all hold. Throws badInput for options that it cannot read. */
export async function runVerify(
  ports: VerifyPorts,
  settings: Omit<VerifySettings, "sample">,
  args: string[],
): Promise<{ ok: boolean; text: string }> {
  const { sample, json, ...given } = parse(args);
  const to = given.to ?? ports.clock.now();
  const range = { from: given.from ?? addSeconds(to, -defaultSeconds), to };
  if (range.from > to) throw new AppError("badInput", `--from is after --to\n${usage}`);
  const results = await verify(ports, { ...settings, sample }, range);
  const found = results.reduce((sum, { count }) => sum + count, 0);
  const text = json ? JSON.stringify({ ok: found === 0, ...range, found, rules: results }, null, 2) : tableOf(results);
  return { ok: found === 0, text };
}

function tableOf(results: Verified[]): string {
  const table = new Table({ head: ["rule", "found"], style: { head: [], border: [] } });
  for (const { rule, count } of results) table.push([rule, count === 0 ? "nothing" : count]);
  const told = results
    .filter(({ count }) => count > 0)
    .map(({ rule, count, examples }) => {
      const more = count > examples.length ? [`and ${count - examples.length} more`] : [];
      return [`✗ ${rule}`, ...[...examples, ...more].map((line) => `    ${line}`)].join("\n");
    });
  return [table.toString(), ...told].join("\n\n");
}

function parse(args: string[]): z.infer<typeof Options> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ args, options: { from: text, to: text, sample: text, json: { type: "boolean" } } });
  const { data, error } = Options.safeParse(values);
  if (data === undefined) throw new AppError("badInput", `${z.prettifyError(error)}\n${usage}`);
  return data;
}

if (import.meta.main) {
  try {
    await using opened = new AsyncDisposableStack();
    const { ports, settings } = await openVerifyRuntime(await loadConfig(), opened);
    const { ok, text } = await runVerify(ports, settings, process.argv.slice(2));
    console.log(text);
    if (!ok) process.exitCode = 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  }
}
