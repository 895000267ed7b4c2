import { type Kysely, type Selectable, sql } from "kysely";
import { clip } from "../../../core/data/reading.ts";
import type { Adaptation } from "../../../core/mix/adaptation.ts";
import { experts } from "../../../core/mix/experts.ts";
import { leanOf } from "../../../core/mix/middle.ts";
import { factorsOf } from "../../../core/mix/widths.ts";
import type { Adaptations } from "../../../core/ports.ts";
import { names, recordset } from "./bulk.ts";
import { fromLeadList, toLeadList } from "./lead-list.ts";
import type { PredictorSchema } from "./schema.ts";
import { adaptationColumns as columns } from "./tables.ts";

/** What was learnt per sensor and target. A state only ever gives way to one that learnt from a newer outcome. */
export function postgresAdaptations(db: Kysely<PredictorSchema>): Adaptations {
  return {
    async load(sensorIds) {
      const { rows } = await sql<AdaptationRow>`
        select * from adaptation where sensor_id = any(${sensorIds}::text[]) and version = ${version}`.execute(db);
      const bySensor = new Map<string, Map<string, Adaptation>>();
      for (const row of rows) {
        const ofSensor = bySensor.get(row.sensor_id) ?? new Map<string, Adaptation>();
        bySensor.set(row.sensor_id, ofSensor.set(row.target, toAdaptation(row)));
      }
      return bySensor;
    },

    async save(adapted) {
      const rows = adapted.flatMap(({ sensorId, target, state }) =>
        state.through === null
          ? []
          : [
              {
                ...{ sensor_id: sensorId, target, version, through: state.through },
                leads: toLeadList(state.leads),
                state: toBytes(rowsOf(state)),
                middle: toBytes([state.middle]),
              },
            ],
      );
      if (rows.length === 0) return;
      await sql`
        insert into adaptation (${names(columns)})
        select ${names(columns)} from ${recordset(rows, "a", columns)}
        order by sensor_id, target
        on conflict (sensor_id, target) do update
          set version = excluded.version, through = excluded.through, leads = excluded.leads, state = excluded.state,
            middle = excluded.middle
          where adaptation.through < excluded.through or adaptation.version < excluded.version`.execute(db);
    },

    async replace(sensorIds, adapted) {
      if (sensorIds.length === 0) return;
      await db.transaction().execute(async (transaction) => {
        await sql`delete from adaptation where sensor_id = any(${sensorIds}::text[])`.execute(transaction);
        await postgresAdaptations(transaction).save(adapted);
      });
    },
  };
}

type AdaptationRow = Selectable<PredictorSchema["adaptation"]>;

const version = 2;

/** Rows with an element a lead: regret and square of each expert, bound, lower and upper width. */
const stateRows = 2 * experts.length + 3;

function rowsOf({ regret, square, bound, width }: Adaptation): number[][] {
  return [...regret, ...square, bound, ...width];
}

function toBytes(rows: number[][]): Buffer {
  const leads = rows[0]!.length;
  const numbers = new Float32Array(rows.length * leads);
  for (const [i, row] of rows.entries()) numbers.set(row, i * leads);
  return Buffer.from(numbers.buffer).swap32();
}

function toNumbers(stored: Uint8Array): Float32Array {
  const bytes = new Uint8Array(stored);
  Buffer.from(bytes.buffer).swap32();
  return new Float32Array(bytes.buffer);
}

function toAdaptation({ through, leads, state, middle }: AdaptationRow): Adaptation {
  const numbers = toNumbers(state);
  const count = numbers.length / stateRows;
  const rows: number[][] = [];
  for (let i = 0; i < stateRows; i++) {
    const row = new Array<number>(count);
    for (let h = 0; h < count; h++) row[h] = numbers[i * count + h]!;
    rows.push(row);
  }
  const n = experts.length;
  const width = rows.slice(2 * n + 1);
  const known = middle && Array.from(toNumbers(middle));
  return {
    version,
    leads: fromLeadList(leads, count),
    through,
    regret: rows.slice(0, n),
    square: rows.slice(n, 2 * n),
    bound: rows[2 * n]!,
    width,
    // Another number of leads: an older release learnt since, of another list.
    middle: known?.length === count ? known : middleBefore(width),
  };
}

/** Where the middle stands that was not learnt: where the widths had moved it to, as far as it can be. */
function middleBefore([lower, upper]: number[][]): number[] {
  const [below, above] = factorsOf([lower!, upper!]) as [number[], number[]];
  return below.map((factor, h) => Math.fround(clip(leanOf(factor, above[h]!), { min: -0.5, max: 0.5 })));
}
