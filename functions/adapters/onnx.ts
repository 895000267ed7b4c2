import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import { AppError } from "../../core/errors.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { Inference, ModelStore, Trust } from "../../core/model/ports.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";
import { type Verdict, verifyArtefact } from "../../core/model/verify.ts";
import type { Log } from "../../core/ports.ts";
import { type OnnxSession, openSession } from "./onnx-session.ts";
import type { Prove } from "./proof.ts";
import { proveHere } from "./proof-here.ts";

/**
 * `maximumSessions` bounds the memory: one holds about 2 MB. `prove` is where an artefact is verified that nobody
 * serves yet; `trust`, whose signatures are demanded, if they are.
 */
export type OnnxOptions = { maximumSessions?: number; prove?: Prove; trust?: Trust };

/** Models loaded at a time; their files come over the network. */
const maximumLoads = 8;
/** A model that was refused is looked at again after this long, not on every forecast. */
const rejectionTtlMs = 60_000;
/** Between two warnings of the same kind. */
const quietMs = 600_000;

type Entry = { session: OnnxSession; users: number; isEvicted: boolean; isReleased: boolean };

/**
 * ONNX Runtime in this process. A model is fetched once, verified (sha256, manifest, golden vector) and kept; the store
 * may go away then. Sessions beyond the bound are released, the least used first and never while they run.
 */
export function onnxInference(
  { store, log }: { store: ModelStore; log: Log },
  { maximumSessions = 512, prove = proveHere, trust }: OnnxOptions = {},
): Inference & { sessionCount(): number; close(): Promise<void> } {
  const limit = pLimit(maximumLoads);
  const loading = new Map<string, Promise<Entry>>();
  const rejections = new LRUCache<string, AppError>({ max: 1000, ttl: rejectionTtlMs });
  const sessions = new LRUCache<string, Entry>({
    max: Math.max(maximumSessions, maximumLoads),
    dispose: (entry, _, reason) => {
      if (reason === "evict") tellEviction();
      entry.isEvicted = true;
      releaseUnused(entry);
    },
  });

  let evicted = 0;
  let toldAt = 0;
  /** A cache read in a circle that is a little too small never hits: that must be heard of, and not with each model. */
  function tellEviction(): void {
    evicted++;
    if (performance.now() - toldAt < quietMs && toldAt > 0) return;
    toldAt = performance.now();
    const message = `${evicted} models were put out of memory for others: MODEL_CACHE ${maximumSessions} is less than the fleet has`;
    log.warn("onnx.evicted", { evicted, kept: maximumSessions, message });
    evicted = 0;
  }

  function releaseUnused(entry: Entry): void {
    if (!entry.isEvicted || entry.users > 0 || entry.isReleased) return;
    entry.isReleased = true;
    entry.session.release().catch((error: unknown) => log.warn("onnx.releaseFailed", { error: String(error) }));
  }

  const trusted = async (artefact: Artefact): Promise<Verdict> =>
    trust?.isDemanded ? trust.check(artefact) : { ok: true };

  async function acquire(input: ModelInput): Promise<Entry> {
    const key = keyOf(input);
    for (;;) {
      const entry = sessions.get(key) ?? (await loadOnce(key, input));
      if (entry.isReleased) continue;
      entry.users++;
      return entry;
    }
  }

  function loadOnce(key: string, input: ModelInput): Promise<Entry> {
    const underway = loading.get(key);
    if (underway) return underway;
    const started = load(key, input).finally(() => loading.delete(key));
    loading.set(key, started);
    return started;
  }

  async function load(key: string, { modelId, modelSha256, digest }: ModelInput): Promise<Entry> {
    const rejection = rejections.get(key);
    if (rejection) throw rejection;
    const artefact = await store.get(modelId);
    if (artefact === null) throw new AppError("notFound", `${modelId}: not in the model store`);
    try {
      const verdict = await trusted(artefact);
      if (!verdict.ok) throw new AppError("artefactRejected", verdict.message);
      const registered = { sha256: modelSha256, digest: digest ?? null };
      const entry = {
        session: await openVerified(artefact, registered),
        users: 0,
        isEvicted: false,
        isReleased: false,
      };
      sessions.set(key, entry);
      return entry;
    } catch (error) {
      if (error instanceof AppError && error.code === "artefactRejected") rejections.set(key, error);
      throw error;
    }
  }

  async function runModel(inputs: ModelInput[]): Promise<ModelOutput[]> {
    const { modelId } = inputs[0]!;
    try {
      const entry = await acquire(inputs[0]!);
      try {
        return await entry.session.run(inputs);
      } finally {
        entry.users--;
        releaseUnused(entry);
      }
    } catch (error) {
      // One model's failure is a value: the sensors of the others have their forecast all the same.
      const message = error instanceof Error ? error.message : String(error);
      log.warn("onnx.modelFailed", { modelId, message });
      return inputs.map(() => ({ ok: false, reason: "modelRejected", message }));
    }
  }

  return {
    async run(inputs) {
      const byModel = Map.groupBy(
        inputs.map((input, i) => ({ input, i })),
        ({ input }) => keyOf(input),
      );
      const outputs = new Array<ModelOutput>(inputs.length);
      const work = [...byModel.values()].map((group) =>
        limit(async () => {
          const answers = await runModel(group.map(({ input }) => input));
          answers.forEach((answer, row) => {
            outputs[group[row]!.i] = answer;
          });
        }),
      );
      await Promise.all(work);
      return outputs;
    },
    async verify(artefact) {
      const verdict = await trusted(artefact);
      return verdict.ok ? prove({ kind: "model", artefact }) : verdict;
    },
    sessionCount: () => sessions.size,
    async close() {
      sessions.clear();
    },
  };
}

/** What is registered is part of it: other files of that name are another model. */
function keyOf({ modelId, modelSha256, digest }: ModelInput): string {
  return `${modelId}|${modelSha256}|${digest ?? ""}`;
}

/** A session over bytes that passed every check; the bytes reach ONNX Runtime only after their sha256 agreed. */
async function openVerified(
  artefact: Artefact,
  registered: { sha256: string; digest: string | null },
): Promise<OnnxSession> {
  let session: OnnxSession | null = null;
  const run = async (input: ModelInput): Promise<ModelOutput> => {
    session ??= await openSession(artefact.onnx, artefact.manifest);
    const [output] = await session.run([input]);
    return output ?? { ok: false, reason: "modelRejected", message: "no answer" };
  };
  const release = async () => session?.release();
  try {
    const verdict = await verifyArtefact(artefact, run, registered);
    if (verdict.ok && session) return session;
    throw new AppError("artefactRejected", verdict.ok ? "golden vector was not run" : verdict.message);
  } catch (error) {
    await release();
    throw error;
  }
}
