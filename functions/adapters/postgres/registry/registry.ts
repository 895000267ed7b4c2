import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { AppError } from "../../../../core/errors.ts";
import { ModelManifest } from "../../../../core/model/manifest.ts";
import type { Registry } from "../../../../core/model/ports.ts";
import type { ModelStatus, RegisteredModel } from "../../../../core/model/registered.ts";
import { moveRevision } from "../revision.ts";
import type { PredictorSchema } from "../schema.ts";
import { knownManifests } from "./manifests.ts";
import { postgresFleets } from "./registry-fleets.ts";

/**
 * Models' metadata in the predictor database. A unique index holds "at most one champion per sensor", whoever writes.
 * A model whose manifest this version cannot read is left out of lists, so that it costs no other sensor its forecast;
 * `get` throws artefactRejected for it.
 */
export function postgresRegistry(db: Kysely<PredictorSchema>): Registry {
  const models = () => db.selectFrom("model").selectAll();
  const manifestsOf = knownManifests(db);
  /** Models without their manifests' text, which is known of most. */
  const serving = (status: ModelStatus, sensorIds: string[]) =>
    db
      .selectFrom("model")
      .select(lightColumns)
      .where("status", "=", status)
      .where(sql<boolean>`sensor_id = any(${sensorIds}::text[])`);
  const withManifests = async (rows: LightRow[]) => {
    const manifests = await manifestsOf(rows.map((row) => row.model_id));
    return rows.flatMap((row) => {
      const manifest = manifests.get(row.model_id);
      return manifest === undefined ? [] : [toModel(row, manifest)];
    });
  };
  return {
    ...postgresFleets(db),

    async register({ manifest, digest, statusReason, now }) {
      const { modelId, sensorId, modelSha256 } = manifest;
      const inserted = await db
        .insertInto("model")
        .values({
          model_id: modelId,
          sensor_id: sensorId,
          status: "challenger",
          status_reason: statusReason,
          manifest: JSON.stringify(manifest),
          model_sha256: modelSha256,
          digest: digest ?? null,
          created_at: now,
          promoted_at: null,
          retired_at: null,
        })
        .onConflict((conflict) => conflict.column("model_id").doNothing())
        .returning("model_id")
        .executeTakeFirst();
      if (inserted !== undefined) return moveRevision(db);
      const known = await models().where("model_id", "=", modelId).executeTakeFirstOrThrow();
      const isSame = known.model_sha256 === modelSha256;
      if (isSame && (!digest || digest === known.digest)) return;
      if (isSame && known.digest === null) {
        await db
          .updateTable("model")
          .set({ digest })
          .where("model_id", "=", modelId)
          .where("digest", "is", null)
          .execute();
        return;
      }
      throw new AppError(
        "conflict",
        `model ${modelId} is registered with sha256 ${known.model_sha256} (files ${known.digest}) and cannot become ${modelSha256} (files ${digest}): give it a new id`,
      );
    },

    async champions(sensorIds) {
      const rows = await serving("champion", sensorIds).execute();
      return new Map((await withManifests(rows)).map((model) => [model.sensorId, model]));
    },

    async challengers(sensorIds) {
      const rows = await serving("challenger", sensorIds)
        .orderBy("sensor_id")
        .orderBy("created_at")
        .orderBy("model_id")
        .execute();
      return withManifests(rows);
    },

    async newest(sensorIds) {
      const rows = await models()
        .distinctOn("sensor_id")
        .where(sql<boolean>`sensor_id = any(${sensorIds}::text[])`)
        .orderBy("sensor_id")
        .orderBy("created_at", "desc")
        .orderBy("model_id", "desc")
        .execute();
      return new Map(readable(rows).map((model) => [model.sensorId, model]));
    },

    async get(modelId) {
      const row = await models().where("model_id", "=", modelId).executeTakeFirst();
      return row === undefined ? null : toModel(row, readManifest(row));
    },

    async list({ sensorId, search, status, fleetId, limit, after }) {
      let query = models().orderBy("created_at", "desc").orderBy("model_id", "desc").limit(limit);
      if (sensorId !== undefined) query = query.where("sensor_id", "=", sensorId);
      if (status !== undefined) query = query.where("status", "=", status);
      for (const word of search?.toLowerCase().split(/\s+/).filter(Boolean) ?? []) {
        query = query.where(
          sql<boolean>`position(${word} in lower(concat_ws(chr(31), model_id, sensor_id, status_reason))) > 0`,
        );
      }
      if (fleetId !== undefined) query = query.where("fleet_id", "=", fleetId);
      if (after !== undefined) {
        query = query.where(
          sql<boolean>`(created_at, model_id) < (select m.created_at, m.model_id from model as m where m.model_id = ${after})`,
        );
      }
      return readable(await query.execute());
    },

    async promote(modelId, reason, now) {
      await db.transaction().execute((trx) => promote(trx, modelId, reason, now));
      await moveRevision(db);
    },

    async rollback(sensorId, reason, now) {
      const modelId = await db.transaction().execute((trx) => rollback(trx, sensorId, reason, now));
      await moveRevision(db);
      return modelId;
    },

    async retire(modelId, reason, now) {
      const retired = await db
        .updateTable("model")
        .set({ status: "retired", status_reason: reason, retired_at: now })
        .where("model_id", "=", modelId)
        .where("status", "=", "challenger")
        .returning("model_id")
        .executeTakeFirst();
      if (retired !== undefined) return moveRevision(db);
      const model = await models().where("model_id", "=", modelId).executeTakeFirst();
      if (model === undefined) throw new AppError("notFound", `there is no model ${modelId}`);
      if (model.status === "champion") {
        throw new AppError("conflict", `model ${modelId} is champion: promote another or roll back instead`);
      }
    },
  };
}

async function promote(trx: Transaction<PredictorSchema>, modelId: string, reason: string, now: Date): Promise<void> {
  const model = await trx.selectFrom("model").selectAll().where("model_id", "=", modelId).executeTakeFirst();
  if (model === undefined) throw new AppError("notFound", `there is no model ${modelId}`);
  const locked = await lockModels(trx, model.sensor_id);
  const champion = locked.find((row) => row.status === "champion");
  if (champion?.model_id === modelId) return;
  if (champion !== undefined) await retireChampion(trx, champion.model_id, `followed by ${modelId}`, now);
  await trx
    .updateTable("model")
    .set({ status: "champion", status_reason: reason, promoted_at: now, retired_at: null })
    .where("model_id", "=", modelId)
    .execute();
}

/**
 * The champion before is the one retired last before this one was promoted. Its promotedAt stays as it was, so that
 * rolling back twice goes back twice.
 */
async function rollback(
  trx: Transaction<PredictorSchema>,
  sensorId: string,
  reason: string,
  now: Date,
): Promise<string | null> {
  const locked = await lockModels(trx, sensorId);
  const champion = locked.find((row) => row.status === "champion");
  if (champion === undefined) return null;
  const before = locked
    .filter((row) => row.status === "retired" && row.promoted_at !== null && row.retired_at !== null)
    .filter((row) => Number(row.retired_at) <= Number(champion.promoted_at))
    .sort((a, b) => Number(b.retired_at) - Number(a.retired_at))[0];
  if (before === undefined) return null;
  await retireChampion(trx, champion.model_id, reason, now);
  await trx
    .updateTable("model")
    .set({ status: "champion", status_reason: reason, retired_at: null })
    .where("model_id", "=", before.model_id)
    .execute();
  return before.model_id;
}

/** Locks a sensor's models in one order, so that promotions of one sensor come after each other. */
function lockModels(trx: Transaction<PredictorSchema>, sensorId: string): Promise<ModelRow[]> {
  return trx
    .selectFrom("model")
    .selectAll()
    .where("sensor_id", "=", sensorId)
    .orderBy("model_id")
    .forUpdate()
    .execute();
}

async function retireChampion(trx: Transaction<PredictorSchema>, modelId: string, reason: string, now: Date) {
  const change = { status: "retired", status_reason: reason, retired_at: now };
  await trx.updateTable("model").set(change).where("model_id", "=", modelId).execute();
}

type ModelRow = Selectable<PredictorSchema["model"]>;

const lightColumns = [
  "model_id",
  "sensor_id",
  "status",
  "model_sha256",
  "digest",
  "created_at",
  "promoted_at",
  "retired_at",
  "status_reason",
] as const;
type LightRow = Pick<ModelRow, (typeof lightColumns)[number]>;

function readable(rows: ModelRow[]): RegisteredModel[] {
  return rows.flatMap((row) => {
    const { success, data } = ModelManifest.safeParse(row.manifest);
    return success ? [toModel(row, data)] : [];
  });
}

function readManifest(row: ModelRow): ModelManifest {
  const { data, error } = ModelManifest.safeParse(row.manifest);
  if (data !== undefined) return data;
  throw new AppError("artefactRejected", `model ${row.model_id}: its manifest is not of this version`, {
    cause: error,
  });
}

function toModel(row: LightRow, manifest: ModelManifest): RegisteredModel {
  return {
    modelId: row.model_id,
    sensorId: row.sensor_id,
    status: row.status as ModelStatus,
    manifest,
    modelSha256: row.model_sha256,
    digest: row.digest,
    createdAt: row.created_at,
    promotedAt: row.promoted_at,
    retiredAt: row.retired_at,
    statusReason: row.status_reason,
  };
}
