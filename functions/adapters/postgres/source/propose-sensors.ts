import { ident, type Query } from "./catalog.ts";

/** A mapping's "sensors", and what was guessed. */
export type SensorsProposal = { sensors: Record<string, unknown>; note: string };

type Candidate = {
  schema: string;
  name: string;
  /** The one column of a primary key or unique index. */
  key: string;
  columns: string[];
  /** The readings' sensor column refers to the key. */
  is_referenced: boolean;
};

const tableNames =
  /^(iot_)?(sensors?|devices?|things?|stations?|nodes?|meters?|entit(y|ies)|assets?|tags?)(_(info|meta|data))?$/i;
const nameNames = /^(display_?|friendly_?|sensor_?|device_?)?(name|label|title|alias)$/i;
const groupNames = [
  /^(site|plant|campus|area)(_name)?$/i,
  /^building(_name)?$/i,
  /^(floor|storey)(_name)?$/i,
  /^(zone|room|group)(_name)?$/i,
];
const placeNames = /^(place|position|location|spot|mounted_at)$/i;

/**
 * The table of sensors beside a table of readings: the one that its sensor column refers to, or else one that is called
 * so and knows at least half of a few ids; null where none says a name, group or place.
 */
export async function proposeSensors(
  query: Query,
  readings: { schema: string; name: string; sensorColumn: string },
): Promise<SensorsProposal | null> {
  const candidates = await query<Candidate>(
    `with readings as (
       select c.oid, a.attnum from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attname = $3
       where n.nspname = $1 and c.relname = $2
     )
     select n.nspname::text as schema, c.relname::text as name, k.attname::text as key,
       array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         order by a.attnum) as columns,
       exists (select from pg_constraint f, readings r where f.contype = 'f' and f.conrelid = r.oid and f.confrelid = c.oid
         and f.conkey = array[r.attnum] and f.confkey = array[k.attnum]) as is_referenced
     from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute k on k.attrelid = c.oid and k.attnum = i.indkey[0]
     where i.indisunique and i.indnkeyatts = 1 and i.indpred is null and c.oid not in (select oid from readings)
       and n.nspname !~ '^pg_' and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
     order by is_referenced desc, n.nspname = $1 desc, i.indisprimary desc, c.relname limit 200`,
    [readings.schema, readings.name, readings.sensorColumn],
  );
  for (const candidate of candidates) {
    if (!candidate.is_referenced && !tableNames.test(candidate.name)) continue;
    const told = columnsOf(candidate);
    if (told === null) continue;
    const where = `${candidate.schema}.${candidate.name}`;
    const { schema, name: table, key: sensorColumn } = candidate;
    const sensors = { schema, table, sensorColumn, ...told };
    if (candidate.is_referenced) return { sensors, note: `"sensors" is ${where}, which the readings refer to` };
    if (!(await knowsIds(query, readings, candidate))) continue;
    return {
      sensors,
      note: `"sensors" is ${where} by its name, and it knows the readings' ids: check that it is theirs`,
    };
  }
  return null;
}

function columnsOf({ columns, key }: Candidate): Record<string, unknown> | null {
  const rest = columns.filter((name) => name !== key);
  const nameColumn = rest.find((name) => nameNames.test(name));
  const groupColumn = groupNames.flatMap((pattern) => rest.find((name) => pattern.test(name)) ?? []);
  const placeColumn = rest.find((name) => placeNames.test(name));
  if (nameColumn === undefined && groupColumn.length === 0 && placeColumn === undefined) return null;
  return {
    ...(nameColumn === undefined ? {} : { nameColumn }),
    ...(groupColumn.length === 0 ? {} : { groupColumn }),
    ...(placeColumn === undefined ? {} : { placeColumn }),
  };
}

async function knowsIds(
  query: Query,
  readings: { schema: string; name: string; sensorColumn: string },
  { schema, name, key }: Candidate,
): Promise<boolean> {
  const [found] = await query<{ share: number | null }>(
    `select avg(case when s.id is null then 0 else 1 end)::float8 as share
     from (select distinct ${ident(readings.sensorColumn)}::text as id from (
         select ${ident(readings.sensorColumn)} from ${ident(readings.schema)}.${ident(readings.name)} limit 2000) as few) as r
       left join (select ${ident(key)}::text as id from ${ident(schema)}.${ident(name)} limit 100000) as s on s.id = r.id`,
  );
  return (found?.share ?? 0) >= 0.5;
}
