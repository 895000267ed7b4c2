import { type RawBuilder, sql } from "kysely";
import { everyLead, isEveryLead } from "../../../core/model/leads.ts";

/** Leads as a column holds them: null for each step from the first on, which most rows have and all old ones. */
export function toLeadList(leads: number[]): number[] | null {
  return isEveryLead(leads) ? null : leads;
}

/** The leads that a column with `count` elements beside it means. */
export function fromLeadList(stored: number[] | null, count: number): number[] {
  return stored ?? everyLead(count);
}

/** The leads of a row of scores, in steps. */
export function leadsOf(score: string): RawBuilder<number[]> {
  const column = (name: string) => sql.ref(`${score}.${name}`);
  return sql`coalesce(${column("leads")}, array(select generate_series(1, cardinality(${column("error")}))))`;
}
