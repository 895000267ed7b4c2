import { AppError } from "../../../../core/errors.ts";
import { groupPath, type SourceProfile } from "../../../../core/forecast/profile.ts";
import type { SensorTable } from "../../../config/source.ts";
import {
  type Column,
  describeMissing,
  findRelation,
  ident,
  missingColumn,
  missingGrant,
  type Query,
} from "./catalog.ts";
import { filtered } from "./follower-queries.ts";
import { type ResolvedSource, resolveFilter, sensorTypes, splitName } from "./source-catalog.ts";

/** Their table of sensors as the catalogue confirmed it: quoted SQL of the id, and of what it says as text. */
export type ResolvedSensors = {
  table: string;
  id: string;
  name: string;
  place: string;
  /** From the outside in. */
  group: string[];
  filter: ResolvedSource["filter"];
};

/** Longer ones are cut: a name is for people. */
const longestName = 100;
const longestPlace = 200;

/** Finds table and columns; throws misconfigured with every mistake and what to change. */
export async function resolveSensorTable(query: Query, sensors: SensorTable): Promise<ResolvedSensors> {
  const { schema, table } = splitName(sensors);
  const relation = await findRelation(query, schema, table);
  if (relation === null) return refuse([await describeMissing(query, sensors, schema, table)]);
  const problems: string[] = [];
  const column = (name: string, what: string): Column | null => {
    const found = relation.columns.find((candidate) => candidate.name === name) ?? null;
    if (found === null) problems.push(missingColumn(relation, name, what));
    else if (!found.is_granted) problems.push(missingGrant(relation, name));
    return found;
  };
  if (!relation.may_use_schema) {
    const usage = `grant usage on schema ${ident(relation.schema)} to <role>`;
    problems.push(`the role may not use schema "${relation.schema}": run  ${usage}`);
  }
  const text = (name: string | undefined, what: string) =>
    name === undefined || column(name, what) === null ? "null::text" : `r.${ident(name)}::text`;
  const id = column(sensors.sensorColumn, "sensorColumn");
  if (id && !sensorTypes[id.type]) {
    problems.push(`sensorColumn "${id.name}" is ${id.type}: integer, text and uuid are read; map a view that casts it`);
  }
  const resolved = {
    table: `${ident(relation.schema)}.${ident(relation.name)}`,
    id: text(sensors.sensorColumn, "sensorColumn"),
    name: text(sensors.nameColumn, "nameColumn"),
    place: text(sensors.placeColumn, "placeColumn"),
    group: (sensors.groupColumn ?? []).map((name) => text(name, "groupColumn")),
    filter: resolveFilter(sensors, column),
  };
  return problems.length > 0 ? refuse(problems) : resolved;
}

type Row = { id: string; name: string | null; place: string | null; group: (string | null)[] };

/** A profile for each of `sensorIds`, empty where the table has none; of two rows of one sensor the first by name. */
export async function listProfiles(query: Query, sensors: SensorTable, sensorIds: string[]): Promise<SourceProfile[]> {
  const from = await resolveSensorTable(query, sensors);
  const parameters: unknown[] = [sensorIds];
  const rows = await query<Row>(
    `select distinct on (1) ${from.id} as id, ${from.name} as name, ${from.place} as place,
       array[${from.group.join(", ")}]::text[] as "group"
     from ${from.table} as r where ${from.id} = any($1::text[]) and ${filtered(from, parameters)}
     order by 1, 2, 3, 4`,
    parameters,
  );
  const found = new Map(rows.map((row) => [row.id, row]));
  return sensorIds.map((sensorId) => {
    const { name = null, place = null, group = [] } = found.get(sensorId) ?? {};
    return { sensorId, name: words(name, longestName), group: pathOf(group), place: words(place, longestPlace) };
  });
}

function words(text: string | null, longest: number): string | null {
  // By characters: half of one is nothing that can be stored.
  const characters = [...(text ?? "").trim()].slice(0, longest);
  return characters.join("").trim() || null;
}

/** "site/building/room" of the parts that are known; where a part is missing its own parts stand one further out. */
function pathOf(parts: (string | null)[]): string | null {
  const known = parts.flatMap((part) => (part ?? "").split("/")).map((part) => part.trim());
  return groupPath(known.filter((part) => part !== "").join("/"));
}

function refuse(problems: string[]): never {
  throw new AppError("misconfigured", `the table of sensors cannot be read:\n- ${problems.join("\n- ")}`);
}
