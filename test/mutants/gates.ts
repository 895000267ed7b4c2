import { generateKeyPairSync } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { artefactDigest, printArtefact } from "../../core/model/artefact-digest.ts";
import { createFleetArtefact, loadFleet, saveFleet } from "../../core/model/fleet/artefact.ts";
import { encodeGolden, type FleetGolden } from "../../core/model/fleet/golden.ts";
import { loadParts, savePack } from "../../core/model/fleet/pack.ts";
import { decodePart, encodePart, halvedTensors, type PartFile } from "../../core/model/fleet/part-file.ts";
import type { Artefact, ModelManifest } from "../../core/model/manifest.ts";
import { sha256Of } from "../../core/model/sha256.ts";
import type { ModelOutput } from "../../core/model/tensors.ts";
import { verifyArtefact } from "../../core/model/verify.ts";
import { importArtefact } from "../../core/operations/admit.ts";
import { parseArtefact } from "../../functions/adapters/artefact-files.ts";
import { memoryFiles, memoryStore } from "../../functions/adapters/memory-store.ts";
import { openFleetSession } from "../../functions/adapters/onnx-fleet-session.ts";
import { type OnnxSession, openSession } from "../../functions/adapters/onnx-session.ts";
import { publisherTrust, signArtefact } from "../../functions/adapters/signature.ts";
import { artefactOf, goldenInputs } from "../artefacts.ts";
import { randomOf, someSlot, fleetOf as targetsOf } from "../builders.ts";
import { testClock } from "../fakes/clock.ts";
import { quietLog } from "../fakes/log.ts";
import { memoryRegistry } from "../fakes/registry.ts";
import { noTrust } from "../fakes/trust.ts";
import { fleetOf } from "../fleets.ts";
import { mutateBytes, mutateGraph, mutateJson, type Random } from "./mutate.ts";

/** What became of a mutant; `altered`: it was accepted, and says something else than the original. */
export type Fate = "refused" | "same" | "altered";

/** One way of making mutants, and the gates that they are sent through. */
export type Kind = { name: string; share: number; judge(random: Random): Promise<{ fate: Fate; why: string }> };

/** Refusals are AppErrors: anything else that is thrown is a hole, and fails the suite. */
async function refusalOf(act: () => Promise<void>): Promise<string | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof AppError && error.code !== "internal") return error.message;
    throw error;
  }
}

const refused = (why: string) => ({ fate: "refused" as const, why });

/** The kinds of mutants of a model of one sensor and of a fleet's version, each a tenth or so of the whole. */
export async function openKinds(): Promise<Kind[]> {
  return [...(await modelKinds()), ...(await fleetKinds())];
}

async function modelKinds(): Promise<Kind[]> {
  const artefact = await artefactOf();
  const { manifest, golden, onnx } = artefact;
  const digest = await artefactDigest(artefact);
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const trust = publisherTrust([{ name: "publisher", key: publicKey }], true);
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const { signature } = await signArtefact(artefact, pem);
  const said = await answersOf(artefact);
  const texts = printArtefact(artefact);
  const parsed = (files: { onnx?: Uint8Array; manifest?: string; golden?: string }) =>
    parseArtefact("mutant", { onnx, ...texts, signature: null, ...files });

  /** Under the original's digest, as the registry has it, under its signature, and as an import that nobody signed. */
  async function judge(make: () => Artefact | Promise<Artefact>): Promise<{ fate: Fate; why: string }> {
    let mutant: Artefact | undefined;
    const broken = await refusalOf(async () => {
      mutant = await make();
    });
    if (!mutant || broken !== null) return refused(broken ?? "");
    const mustNotRun = () => Promise.reject(new Error("a mutant of a registered artefact ran"));
    if ((await artefactDigest(mutant)) === digest) return { fate: "same", why: "its meaning is in the same bytes" };
    const registered = await verifyArtefact(mutant, mustNotRun, { sha256: manifest.modelSha256, digest });
    if (registered.ok) return { fate: "altered", why: "accepted under the original's digest" };
    const signed = await trust.check({ ...mutant, signature });
    if (signed.ok) return { fate: "altered", why: "accepted under the original's signature" };
    const imported = await importOf(mutant);
    if (imported !== null) return refused(imported);
    const off = distance(said, await answersOf({ ...mutant, manifest: provable(mutant.manifest, manifest) }));
    const why = `answers ${off} away from the original's`;
    return { fate: off > mostOff ? "altered" : "same", why };
  }

  const withBytes = async (bytes: Uint8Array): Promise<Artefact> => ({
    ...artefact,
    onnx: bytes,
    manifest: { ...manifest, modelSha256: await sha256Of(bytes) },
  });
  return [
    { name: "model: bytes", share: 2, judge: (random) => judge(() => withBytes(mutateBytes(random, onnx))) },
    { name: "model: graph", share: 3, judge: (random) => judge(() => withBytes(mutateGraph(random, onnx))) },
    {
      name: "model: manifest",
      share: 2,
      judge: (random) => judge(() => parsed({ manifest: JSON.stringify(mutateJson(random, manifest)) })),
    },
    {
      name: "model: golden vectors",
      share: 1,
      judge: (random) => judge(() => parsed({ golden: JSON.stringify(mutateJson(random, golden)) })),
    },
    {
      name: "model: text of the JSON files",
      share: 0.5,
      judge: (random) => {
        const name = random() < 0.5 ? "manifest" : "golden";
        const text = new TextDecoder().decode(mutateBytes(random, new TextEncoder().encode(texts[name])));
        return judge(() => parsed({ [name]: text }));
      },
    },
  ];
}

/** The step in which forecasts are issued: what moves by less says the same. Golden vectors are met within 1e-4. */
const mostOff = 2e-3;

/**
 * What of a manifest no answer proves, as the original has it: whose model it is, how it came about, the ranges that it
 * gives. A digest or a signature proves them, and every mutant has been through that gate.
 */
function provable(mutant: ModelManifest, { modelId, sensorId, training, metrics }: ModelManifest): ModelManifest {
  return { ...mutant, ...{ modelId, sensorId, training, metrics } };
}

async function importOf(artefact: Artefact): Promise<string | null> {
  let session: OnnxSession | undefined;
  const run = async (input: Parameters<OnnxSession["run"]>[0][number]): Promise<ModelOutput> => {
    session ??= await openSession(artefact.onnx, artefact.manifest);
    return (await session.run([input]))[0]!;
  };
  const ports = {
    ...{ clock: testClock(someSlot), log: quietLog(), registry: memoryRegistry(), store: memoryStore() },
    trust: noTrust(),
    inference: { run: async () => [], verify: (one: Artefact) => verifyArtefact(one, run) },
  };
  let why: string | null = null;
  const thrown = await refusalOf(async () => {
    const verdict = await importArtefact(ports, targetsOf(), artefact);
    if (!verdict.ok) why = verdict.message;
  });
  await session?.release();
  return thrown ?? why;
}

/** Forecasts, in the targets' units, of readings that are in no golden vector. */
async function answersOf(artefact: Artefact): Promise<number[][]> {
  const session = await openSession(artefact.onnx, artefact.manifest);
  try {
    const all: number[][] = [];
    for (const shift of [0, 6, -9, 15, -18])
      all.push((await goldenInputs(session, artefact.manifest, 77, shift)).quantiles);
    return all;
  } finally {
    await session.release();
  }
}

function distance(a: number[][], b: number[][]): number {
  if (a.flat().length !== b.flat().length) return Number.POSITIVE_INFINITY;
  const other = b.flat();
  return a.flat().reduce((most, value, i) => {
    const off = Math.abs(value - other[i]!);
    return off <= most ? most : off;
  }, 0);
}

async function fleetKinds(): Promise<Kind[]> {
  const names = ["attic", "cellar", "hall"];
  const { artefact, golden, graph, parts, rowOf } = await fleetOf(names);
  const { manifest, onnx, digest } = artefact;
  const { fleetId } = manifest;
  const rows = parts.map((part, i) => rowOf(part, 500 + i));
  const said = await fleetAnswers(onnx);
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);

  async function fleetAnswers(bytes: Uint8Array, vectors?: Uint8Array): Promise<number[][]> {
    const session = await openFleetSession({ manifest, onnx: bytes });
    try {
      if (vectors) await session.answerGolden(vectors);
      return (await session.run(rows)).map((answer) => (answer.ok ? Array.from(answer.quantiles) : []));
    } finally {
      await session.release();
    }
  }

  /** Under the registered digest. */
  async function stored(file: string, bytes: Uint8Array): Promise<{ fate: Fate; why: string }> {
    const known = { "fleet.onnx": onnx, "golden.safetensors": artefact.golden, "manifest.json": text }[file]!;
    if (Buffer.compare(bytes, known) === 0) return { fate: "same", why: "the same bytes" };
    const files = memoryFiles();
    await saveFleet(files, artefact);
    const path = `fleets/${fleetId}/${file}`;
    const read = async (wanted: string) => (wanted === path ? bytes : files.read(wanted));
    const why = await refusalOf(async () => void (await loadFleet({ ...files, read }, fleetId, digest)));
    return why === null ? { fate: "altered", why: `${file} was loaded under the original's digest` } : refused(why);
  }

  /** Under a digest of its own, as a new version: then its golden vectors speak. */
  async function anew(bytes: Uint8Array, vectors: FleetGolden): Promise<{ fate: Fate; why: string }> {
    let off = 0;
    const why = await refusalOf(async () => {
      const made = await createFleetArtefact(manifest, bytes, encodeGolden(vectors, graph));
      off = distance(said, await fleetAnswers(made.onnx, made.golden));
    });
    if (why !== null) return refused(why);
    // In residual scales of about one; rounding alone may take a quarter.
    return { fate: off > 4 * golden.tolerance ? "altered" : "same", why: `answers ${off} away from the original's` };
  }

  const made = parts.map((part) => ({ sensorId: part.sensorId, bytes: encodePart(part, graph, halvedTensors) }));
  const packs = memoryFiles();
  const places = await savePack(packs, made);
  const pack = (await packs.read(`packs/${places[0]!.pack}.safetensors`))!;

  /** A pack that changed in the store: each part is what it was, or none. */
  async function packed(bytes: Uint8Array): Promise<{ fate: Fate; why: string }> {
    const loaded = await loadParts({ ...packs, read: async () => bytes }, places);
    const given = made.filter((_, i) => loaded.get(places[i]!.digest) instanceof Uint8Array);
    const isOwn = ({ sensorId, bytes: was }: (typeof made)[number]) => {
      const { digest: own } = places.find((place) => place.sensorId === sensorId)!;
      return Buffer.compare(loaded.get(own) as Uint8Array, was) === 0;
    };
    if (!given.every(isOwn)) return { fate: "altered", why: "a part with other bytes was loaded" };
    return given.length === made.length ? { fate: "same", why: "all parts are whole" } : refused("a part is damaged");
  }

  /** A part that nobody holds a digest of: it is one that fits, finite and positive where it must be, or refused. */
  async function decoded(bytes: Uint8Array): Promise<{ fate: Fate; why: string }> {
    let part: PartFile | undefined;
    const why = await refusalOf(async () => {
      part = decodePart(names[0]!, bytes, graph);
    });
    if (why !== null) return refused(why);
    const numbers = Object.values(part!.tensors).flatMap((values) => Array.from(values));
    return numbers.every(Number.isFinite) ? { fate: "same", why: "a sound part" } : { fate: "altered", why: "unsound" };
  }

  return [
    {
      name: "fleet: files under their digest",
      share: 0.5,
      judge: (random) => {
        const files = { "fleet.onnx": onnx, "golden.safetensors": artefact.golden, "manifest.json": text };
        const file = (["fleet.onnx", "golden.safetensors", "manifest.json"] as const)[Math.floor(random() * 3)]!;
        return stored(file, mutateBytes(random, files[file]));
      },
    },
    { name: "fleet: graph", share: 0.25, judge: (random) => anew(mutateGraph(random, onnx), golden) },
    {
      name: "fleet: golden vectors",
      share: 0.05,
      judge: (random) => anew(onnx, mutatedGolden(random, golden)),
    },
    { name: "fleet: pack", share: 0.35, judge: (random) => packed(mutateBytes(random, pack)) },
    { name: "fleet: part", share: 0.35, judge: (random) => decoded(mutateBytes(random, made[0]!.bytes)) },
  ];
}

function mutatedGolden(random: Random, golden: FleetGolden): FleetGolden {
  const row = Math.floor(random() * golden.rows.length);
  const values = golden.quantiles[row]!;
  const at = Math.floor(random() * values.length);
  const quantiles = golden.quantiles.with(row, values.with(at, values[at]! + (random() - 0.5)));
  return random() < 0.2 ? { ...golden, tolerance: 10 ** (6 * random() - 3) } : { ...golden, quantiles };
}

/** What came of each kind. */
export type Tally = { kind: string; refused: number; same: number; altered: { seed: number; why: string }[] };

/** Makes and judges `count` mutants, the same for the same `seed`. */
export async function judgeMutants(count: number, seed: number): Promise<Tally[]> {
  const kinds = await openKinds();
  const all = kinds.reduce((sum, { share }) => sum + share, 0);
  const tallies: Tally[] = [];
  for (const { name, share, judge } of kinds) {
    const tally: Tally = { kind: name, refused: 0, same: 0, altered: [] };
    for (let i = 0; i < Math.max(1, Math.round((count * share) / all)); i++) {
      const own = seed + i;
      const { fate, why } = await judge(randomOf(own)).catch((error: unknown) => {
        throw new Error(`${name}, seed ${own}: ${error}`, { cause: error });
      });
      if (fate === "altered") tally.altered.push({ seed: own, why });
      else tally[fate]++;
    }
    tallies.push(tally);
  }
  return tallies;
}
