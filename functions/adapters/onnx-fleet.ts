import { LRUCache } from "lru-cache";
import { AppError } from "../../core/errors.ts";
import { type FleetArtefact, loadFleet } from "../../core/model/fleet/artefact.ts";
import type { ArtefactFiles } from "../../core/model/fleet/files.ts";
import type { FleetGraph, FleetManifest, FleetVersion } from "../../core/model/fleet/manifest.ts";
import { loadParts, type PartPlace } from "../../core/model/fleet/pack.ts";
import { decodePart, type PartFile } from "../../core/model/fleet/part-file.ts";
import type { FleetInference } from "../../core/model/ports.ts";
import type { Log } from "../../core/ports.ts";
import { type FleetSession, openFleetSession } from "./onnx-fleet-session.ts";
import type { Prove } from "./proof.ts";
import { proveHere } from "./proof-here.ts";

/**
 * `maximumParts` bounds the memory: one holds about 100 kB with what is remembered of its sensor. `prove` is where a
 * version is verified that nobody serves yet.
 */
export type FleetOptions = { maximumParts?: number; prove?: Prove };

/** A champion and a challenger for thirty groups; some MB each. */
const maximumSessions = 64;
/** What was refused is looked at again after this long, not on every forecast. */
const rejectionTtlMs = 60_000;

/**
 * Fleets' graphs in this process: a version is fetched once, verified (digest, golden vectors) and kept, as are the
 * sensors' parts; the store may go away then. A shard is one run, whatever its sensors.
 */
export function fleetInference(
  { files, log }: { files: ArtefactFiles; log: Log },
  { maximumParts = 5000, prove = proveHere }: FleetOptions = {},
): FleetInference & { partCount(): number; close(): void } {
  const parts = keptParts(maximumParts, log);
  const rejections = new LRUCache<string, AppError>({ max: 1000, ttl: rejectionTtlMs });
  const proven = new LRUCache<string, true>({ max: 1000 });
  const sessions = new LRUCache<string, Promise<OpenedFleet>>({
    max: maximumSessions,
    dispose: (opened) => {
      opened
        .then(({ session }) => session.release())
        .catch((error: unknown) => log.warn("onnx.releaseFailed", { error: String(error) }));
    },
  });

  function fleetOf({ fleetId, digest }: FleetVersion): Promise<OpenedFleet> {
    const key = `${fleetId}|${digest}`;
    const rejection = rejections.get(key);
    if (rejection) return Promise.reject(rejection);
    const known = sessions.get(key);
    if (known) return known;
    const opened = loadFleet(files, fleetId, digest)
      .then(openVerified)
      .catch((error: unknown) => {
        sessions.delete(key);
        if (error instanceof AppError && error.code === "artefactRejected") rejections.set(key, error);
        throw error;
      });
    sessions.set(key, opened);
    return opened;
  }

  return {
    open: async (version) => (await fleetOf(version)).manifest,
    async parts(graph, places) {
      const missing = places.filter(({ digest }) => parts.get(digest) === undefined);
      const loaded = missing.length > 0 ? await loadParts(files, missing) : new Map<string, Uint8Array | AppError>();
      const found = new Map<string, PartFile | AppError>();
      for (const place of places) {
        const part = parts.get(place.digest) ?? decode(graph, place, loaded.get(place.digest));
        if (!(part instanceof AppError)) parts.keep(place.digest, part);
        found.set(place.sensorId, part);
      }
      return found;
    },
    async run(version, rows) {
      try {
        const { session } = await fleetOf(version);
        return await session.run(rows);
      } catch (error) {
        // One version's failure is a value: the sensors of others have their forecast all the same.
        const message = error instanceof Error ? error.message : String(error);
        log.warn("onnx.fleetFailed", { fleetId: version.fleetId, message });
        return rows.map(() => ({ ok: false, reason: "modelRejected", message }));
      }
    },
    async verify({ fleetId, digest }) {
      const key = `${fleetId}|${digest}`;
      if (proven.has(key)) return { ok: true };
      try {
        const verdict = await prove({ kind: "fleet", artefact: await loadFleet(files, fleetId, digest) });
        if (verdict.ok) proven.set(key, true);
        return verdict;
      } catch (error) {
        if (!(error instanceof AppError) || !["artefactRejected", "notFound"].includes(error.code)) throw error;
        return { ok: false, message: error.message };
      }
    },
    partCount: parts.count,
    close: () => {
      sessions.clear();
      parts.clear();
    },
  };
}

/** What nobody asked for in so long makes room: other versions' parts, other shards'. */
const idleMs = 2 * 3_600_000;

/**
 * Parts by digest. A fleet that is larger than the memory is read in a circle: who drops what was used longest ago
 * drops what comes next, and never finds anything. Once it is full, what is there stays, and the rest is loaded anew.
 */
function keptParts(most: number, log: Log) {
  const parts = new LRUCache<string, PartFile>({
    ...{ max: most, ttl: idleMs, updateAgeOnGet: true, allowStale: true, noDeleteOnStaleGet: true },
  });
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = () => {
    if (performance.now() - toldAt < idleMs) return;
    toldAt = performance.now();
    log.warn("onnx.partsDoNotFit", { kept: most, remedy: "give it more memory, or fewer sensors" });
  };
  return {
    get: (digest: string) => parts.get(digest),
    count: () => parts.size,
    clear: () => parts.clear(),
    keep(digest: string, part: PartFile): void {
      if (parts.size >= most && !parts.has(digest)) parts.purgeStale();
      if (parts.size < most || parts.peek(digest, { allowStale: true }) !== undefined) parts.set(digest, part);
      else tell();
    },
  };
}

function decode(graph: FleetGraph, { sensorId }: PartPlace, bytes: Uint8Array | AppError | undefined) {
  if (!(bytes instanceof Uint8Array)) {
    return bytes ?? new AppError("notFound", `the part of sensor ${sensorId} is not in the model store`);
  }
  try {
    return decodePart(sensorId, bytes, graph);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

type OpenedFleet = { manifest: FleetManifest; session: FleetSession };

/** A session that has answered the version's golden vectors. */
async function openVerified(artefact: FleetArtefact): Promise<OpenedFleet> {
  const session = await openFleetSession(artefact);
  try {
    await session.answerGolden(artefact.golden);
    return { manifest: artefact.manifest, session };
  } catch (error) {
    await session.release();
    throw error;
  }
}
