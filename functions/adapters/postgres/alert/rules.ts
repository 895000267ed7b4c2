import { type Kysely, type Selectable, sql } from "kysely";
import { type Rule, RuleBody } from "../../../../core/alert/rule.ts";
import type { RuleStore } from "../../../../core/alert/store.ts";
import type { PredictorSchema } from "../schema.ts";

/** Rules and what fired, as people list and change them. */
export function postgresRules(db: Kysely<PredictorSchema>): RuleStore {
  return {
    async list({ limit, after }) {
      const all = db.selectFrom("alert_rule").selectAll().orderBy("rule_id").limit(limit);
      return (await (after === null ? all : all.where("rule_id", ">", after)).execute()).map(toRule);
    },

    async get(ruleId) {
      const row = await db.selectFrom("alert_rule").selectAll().where("rule_id", "=", ruleId).executeTakeFirst();
      return row === undefined ? null : toRule(row);
    },

    async count() {
      const { rows } = await sql<{ n: number }>`select count(*)::int as n from alert_rule`.execute(db);
      return rows[0]?.n ?? 0;
    },

    async save({ ruleId, createdAt, createdBy, since, ...body }) {
      const json = JSON.stringify(body);
      await db.transaction().execute(async (transaction) => {
        const before = await transaction
          .selectFrom("alert_rule")
          .selectAll()
          .where("rule_id", "=", ruleId)
          .forUpdate()
          .executeTakeFirst();
        const isSameWatch = before !== undefined && watchOf(toRule(before)) === watchOf(body);
        if (before !== undefined && !isSameWatch) await end(transaction, ruleId, since);
        await transaction
          .insertInto("alert_rule")
          .values({ rule_id: ruleId, body: json, created_at: createdAt, created_by: createdBy, since })
          .onConflict((conflict) =>
            conflict.column("rule_id").doUpdateSet({ body: json, ...(isSameWatch ? {} : { since }) }),
          )
          .execute();
      });
    },

    async remove(ruleId, now) {
      return db.transaction().execute(async (transaction) => {
        await end(transaction, ruleId, now);
        const { numDeletedRows } = await transaction
          .deleteFrom("alert_rule")
          .where("rule_id", "=", ruleId)
          .executeTakeFirst();
        return numDeletedRows > 0n;
      });
    },

    async alerts({ limit, before, isOpen, sensorId, ruleId }) {
      let found = db.selectFrom("alert").selectAll().orderBy("alert_id", "desc").limit(limit);
      if (before !== null) found = found.where("alert_id", "<", String(before));
      if (isOpen !== null) found = found.where("cleared_at", isOpen ? "is" : "is not", null);
      if (sensorId !== null) found = found.where("sensor_id", "=", sensorId);
      if (ruleId !== null) found = found.where("rule_id", "=", ruleId);
      return (await found.execute()).map(toAlert);
    },

    async acknowledge(alertId, { by, note, now }) {
      const row = await db
        .updateTable("alert")
        .set({ acknowledged_at: now, acknowledged_by: by, note })
        .where("alert_id", "=", String(alertId))
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : toAlert(row);
    },

    async standingsOf(ruleIds) {
      const { rows } = await sql<{ rule_id: string; sensor_id: string; state: string; since: Date; evidence: unknown }>`
        select rule_id, sensor_id, state, since, evidence from alert_standing where rule_id = any(${ruleIds}::text[])
        order by rule_id, array_position(array['firing', 'blind', 'pending'], state), since, sensor_id`.execute(db);
      return rows.map(({ rule_id, sensor_id, state, since, evidence }) => ({
        ...{ ruleId: rule_id, sensorId: sensor_id, since },
        state: state as "pending" | "firing" | "blind",
        evidence: evidence as Record<string, never>,
      }));
    },

    async allSeen() {
      const { rows } = await sql<{ sensor_id: string; slot: Date | null; evaluated_at: Date | null }>`
        select s.sensor_id, a.slot, a.evaluated_at from sensor s left join alert_seen a using (sensor_id)
        union all select '', max(slot), max(evaluated_at) from alert_seen where sensor_id = ''`.execute(db);
      return rows.map((row) => ({ sensorId: row.sensor_id, slot: row.slot, evaluatedAt: row.evaluated_at }));
    },
  };
}

/** What a rule watches and waits for, apart from whom it tells and how it is called. */
function watchOf({ selector, condition, pendingCycles, isEnabled }: RuleBody): string {
  return JSON.stringify([selector, condition, pendingCycles, isEnabled]);
}

/** Ends whatever the rule had begun: what it watches is not what it watched. */
async function end(db: Kysely<PredictorSchema>, ruleId: string, now: Date): Promise<void> {
  await db.deleteFrom("alert_standing").where("rule_id", "=", ruleId).execute();
  const open = db.updateTable("alert").set({ cleared_at: now }).where("rule_id", "=", ruleId);
  await open.where("cleared_at", "is", null).execute();
}

/** Throws where what is stored is no rule. */
export function toRule(row: Selectable<PredictorSchema["alert_rule"]>): Rule {
  const { rule_id: ruleId, created_at: createdAt, created_by: createdBy, since } = row;
  return { ...RuleBody.parse(row.body), ruleId, createdAt, createdBy, since };
}

function toAlert(row: Selectable<PredictorSchema["alert"]>) {
  return {
    ...{ alertId: Number(row.alert_id), ruleId: row.rule_id, sensorId: row.sensor_id, ruleName: row.rule_name },
    ...{ severity: row.severity, firedAt: row.fired_at, clearedAt: row.cleared_at, text: row.text },
    evidence: row.evidence as Record<string, never>,
    ...{ acknowledgedAt: row.acknowledged_at, acknowledgedBy: row.acknowledged_by, note: row.note },
  };
}
