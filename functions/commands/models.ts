import { readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import * as z from "zod";
import { commandOf, entryBy, noteDone } from "../../core/access/audit.ts";
import type { AuditLog } from "../../core/access/ports.ts";
import type { Fleet } from "../../core/data/reading.ts";
import { AppError } from "../../core/errors.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { FleetInference, Inference, ModelStore, Registry, Trust } from "../../core/model/ports.ts";
import { once } from "../../core/once.ts";
import { importArtefact } from "../../core/operations/admit.ts";
import { promoteByHand, rollback } from "../../core/operations/promote.ts";
import { promoteFleetByHand, rollbackFleet } from "../../core/operations/promote-fleet.ts";
import type { Clock, Follower, Log } from "../../core/ports.ts";
import { loadConfig } from "../config/environment.ts";
import { integerText } from "../config/number.ts";
import { readSources, targetsOf } from "../config/source.ts";
import { openFollower } from "../runtime/follower.ts";
import { readArtefact, signArtefact } from "../runtime/models.ts";
import { openClock } from "../runtime/process.ts";
import { openCommandRuntime } from "../runtime.ts";
import { exportSensor } from "./models-export.ts";
import { checkReceipt } from "./models-receipt.ts";
import { tableOfFleets, tableOfModel, tableOfModels, tableOfReceipt } from "./models-tables.ts";

const usage = `npm run models -- list [--sensor ID] [--status champion|challenger|retired] [--limit 50]
npm run models -- show MODEL
npm run models -- verify MODEL                    bytes, golden vectors, and training data where the source still has it
npm run models -- promote MODEL --reason TEXT
npm run models -- rollback SENSOR --reason TEXT   to the champion before
npm run models -- fleets                          versions of the fleet's network, or of each group's
npm run models -- promote-fleet FLEET --reason TEXT    for all of its sensors at once
npm run models -- rollback-fleet FLEET --reason TEXT   to the version before, for all of its sensors at once
npm run models -- export SENSOR --out FOLDER      its champion as one ONNX file that needs nothing else
npm run models -- import FOLDER [--reason TEXT]   with model.onnx, manifest.json and golden.json
                         [--signature FILE]       a publisher's, where FOLDER/signature.txt is not it
npm run models -- sign FOLDER --key FILE          writes FOLDER/signature.txt with an Ed25519 key in PEM`;

export type ModelsPorts = {
  clock: Clock;
  log: Log;
  follower: Pick<Follower, "readWindows">;
  registry: Registry;
  store: ModelStore;
  inference: Inference;
  trust: Trust;
  audit: Pick<AuditLog, "record">;
  fleetInference: FleetInference;
  fleetFiles: ArtefactFiles;
};

const Options = z.object({
  sensor: z.string().optional(),
  out: z.string().min(1).optional(),
  status: z.enum(["challenger", "champion", "retired"]).optional(),
  limit: integerText(1, 10_000).default(50),
  reason: z.string().min(1).max(500).optional(),
  signature: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
});

/**
 * Runs one subcommand; gives the text to print. Throws AppError with the reason for whatever is refused. What changes a
 * model is audited in the name of `user`, also where it is refused.
 */
export async function runModels(ports: ModelsPorts, fleet: Fleet, user: string, args: string[]): Promise<string> {
  const { command, subject, options } = parse(args);
  const audited = async <T>(action: string, object: string, act: () => Promise<T>): Promise<T> => {
    const note = (result: string) =>
      noteDone(ports, entryBy(commandOf(user), { at: ports.clock.now(), action, object, result }));
    try {
      const done = await act();
      await note("ok");
      return done;
    } catch (error) {
      await note(error instanceof AppError ? error.code : "internal");
      throw error;
    }
  };
  switch (command) {
    case "list": {
      const { sensor, status, limit } = options;
      const filter = { limit, ...(sensor ? { sensorId: sensor } : {}), ...(status ? { status } : {}) };
      return tableOfModels(await ports.registry.list(filter));
    }
    case "show": {
      const model = await ports.registry.get(wanted(subject, "a model's id"));
      if (!model)
        throw new AppError("notFound", `model ${subject} is not registered; npm run models -- list shows all`);
      return tableOfModel(model);
    }
    case "verify": {
      const lines = await checkReceipt(ports, wanted(subject, "a model's id"));
      const table = tableOfReceipt(lines);
      if (lines.some((line) => line.isOk === false))
        throw new AppError("artefactRejected", `${table}\n${subject} is refused`);
      return table;
    }
    case "promote": {
      const modelId = wanted(subject, "a model's id");
      const reason = wanted(options.reason, "--reason");
      return audited("model.promote", `models/${modelId}`, async () => {
        const promoted = await promoteByHand(ports, modelId, reason);
        if (promoted.ok) return `${modelId} is champion`;
        throw new AppError(promoted.reason === "unknown" ? "notFound" : "artefactRejected", promoted.message);
      });
    }
    case "rollback": {
      const sensorId = wanted(subject, "a sensor's id");
      const reason = wanted(options.reason, "--reason");
      return audited("sensor.rollback", `sensors/${sensorId}`, async () => {
        const modelId = await rollback(ports, sensorId, reason);
        if (modelId !== null) return `${modelId} is champion again`;
        throw new AppError("notFound", `sensor ${sensorId} has no earlier champion to go back to`);
      });
    }
    case "fleets":
      return tableOfFleets(await ports.registry.fleets(options.limit));
    case "promote-fleet": {
      const fleetId = wanted(subject, "a fleet's id");
      const reason = wanted(options.reason, "--reason");
      return audited("fleet.promote", `fleets/${fleetId}`, async () => {
        const promoted = await promoteFleetByHand(ports, fleetId, reason);
        if (promoted.ok) return `${fleetId} serves; ${promoted.sensors} sensors followed`;
        throw new AppError(promoted.reason === "unknown" ? "notFound" : "artefactRejected", promoted.message);
      });
    }
    case "rollback-fleet": {
      const fleetId = wanted(subject, "the id of the fleet that serves");
      const reason = wanted(options.reason, "--reason");
      return audited("fleet.rollback", `fleets/${fleetId}`, async () => {
        const known = await ports.registry.fleet(fleetId);
        if (known?.status !== "champion") throw new AppError("notFound", `${fleetId} is not a fleet that serves`);
        const back = await rollbackFleet(ports, known.group, reason);
        if (back !== null) return `${back.fleetId} serves again; ${back.sensors} sensors went back`;
        throw new AppError("notFound", `there is no version before ${fleetId} to go back to`);
      });
    }
    case "export":
      return exportSensor(ports, wanted(subject, "a sensor's id"), wanted(options.out, "--out"));
    case "import": {
      const folder = wanted(subject, "a folder");
      const artefact = await readForeign(folder, options.signature);
      const { modelId, sensorId } = artefact.manifest;
      return audited("model.import", `models/${modelId}`, async () => {
        const verdict = await importArtefact(ports, fleet, artefact, options.reason ?? "imported");
        if (!verdict.ok) throw new AppError("artefactRejected", `refused: ${verdict.message}`);
        return `${modelId} is a challenger of sensor ${sensorId}; npm run models -- promote ${modelId} --reason ... makes it serve`;
      });
    }
    default:
      throw new AppError("badInput", usage);
  }
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { sensor: text, status: text, limit: text, reason: text, signature: text, key: text, out: text },
  });
  const options = Options.safeParse(values);
  if (!options.success) throw new AppError("badInput", `${z.prettifyError(options.error)}\n${usage}`);
  const [command, subject] = positionals;
  return { command, subject, options: options.data };
}

function wanted(value: string | undefined, what: string): string {
  if (value) return value;
  throw new AppError("badInput", `${what} is missing\n${usage}`);
}

/** The artefact in a folder, with the signature in `file` or the one that lies beside it. */
async function readForeign(folder: string, file?: string): Promise<Artefact> {
  const artefact = await readArtefact(folder);
  if (!artefact) throw new AppError("notFound", `${folder} lacks model.onnx, manifest.json or golden.json`);
  return file === undefined ? artefact : { ...artefact, signature: (await readText(file)).trim() };
}

/** A publisher's part: needs no database. Gives the text to print. */
export async function signFolder(args: string[]): Promise<string> {
  const { subject, options } = parse(args);
  const folder = wanted(subject, "a folder");
  const keyFile = wanted(options.key, "--key");
  const { signature, publicKey } = await signArtefact(await readForeign(folder), await readText(keyFile));
  await writeFile(join(folder, "signature.txt"), `${signature}\n`);
  return `signed; whoever imports it sets MODEL_PUBLISHERS=NAME=${publicKey}`;
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new AppError("badInput", `${file} cannot be read`, { cause: error });
  });
}

async function main(): Promise<string> {
  if (process.argv[2] === "sign") return signFolder(process.argv.slice(2));
  await using opened = new AsyncDisposableStack();
  const given = await loadConfig();
  const { config, ports } = await openCommandRuntime(given, opened);
  // Most subcommands do without the source: it is opened by the one that reads it.
  const source = once(async () => {
    const made = await openFollower(config, { log: ports.log, clock: openClock(config, null) });
    opened.defer(() => made.database.close());
    return made.follower;
  });
  const follower: ModelsPorts["follower"] = { readWindows: async (...args) => (await source()).readWindows(...args) };
  // The demo's registry lives in the demo's time: a promotion of today would come after all of its own.
  const [latest] = given.followerDatabaseUrl === null ? await ports.ledger.latestCycles(1) : [];
  const clock = openClock(config, latest?.openedAt ?? null);
  const targets = targetsOf(await readSources(config.sourceConfig));
  const fleet = { stepSeconds: config.stepSeconds, leads: config.leads, targets };
  return await runModels({ ...ports, clock, follower }, fleet, userInfo().username, process.argv.slice(2));
}

if (import.meta.main) {
  try {
    console.log(await main());
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
