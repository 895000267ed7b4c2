import { type Kysely, sql } from "kysely";
import { LRUCache } from "lru-cache";
import { ModelManifest } from "../../../../core/model/manifest.ts";
import type { PredictorSchema } from "../schema.ts";

/** About 2 kB each. */
const mostManifests = 50_000;
/** Lists that the manifests of a fleet have in common, and a few fleets' before. */
const mostShared = 1_000;

/**
 * Manifests by modelId, which never changes its meaning: read and parsed once, as long as they are among those used
 * last. One that this version cannot read is missing, and looked at again the next time.
 */
export function knownManifests(
  db: Kysely<PredictorSchema>,
): (modelIds: string[]) => Promise<Map<string, ModelManifest>> {
  // Counted, not laid out beforehand: most processes know a few hundred.
  const known = new LRUCache<string, ModelManifest>({ maxSize: mostManifests, sizeCalculation: () => 1 });
  const shared = new LRUCache<string, object>({ max: mostShared });
  const share = <T extends object>(value: T): T => {
    const key = JSON.stringify(value);
    const first = (shared.get(key) as T | undefined) ?? value;
    shared.set(key, first);
    return first;
  };
  return async (modelIds) => {
    const missing = modelIds.filter((modelId) => !known.has(modelId));
    const rows =
      missing.length === 0
        ? []
        : await db
            .selectFrom("model")
            .select(["model_id", "manifest"])
            .where(sql<boolean>`model_id = any(${missing}::text[])`)
            .execute();
    for (const { model_id, manifest } of rows) {
      const { data } = ModelManifest.safeParse(manifest);
      if (data === undefined) continue;
      const { features, targets, leads } = data;
      const common = { features: share(features), targets: share(targets), ...(leads ? { leads: share(leads) } : {}) };
      known.set(model_id, { ...data, ...common });
    }
    return new Map(
      modelIds.flatMap((modelId) => {
        const manifest = known.get(modelId);
        return manifest === undefined ? [] : [[modelId, manifest] as const];
      }),
    );
  };
}
