import { linearOf } from "./encode.ts";
import { featurePlaces, fleetHistoryLength, sequenceChannels } from "./encoding.ts";
import type { FleetGolden } from "./golden.ts";
import type { FleetManifest } from "./manifest.ts";

/** A week of one-second steps. */
const mostHistory = 604_800;
/** Numbers that the graph answers with for one row. */
const mostAnswers = 2 ** 18;

/** What of a fleet's manifest contradicts the rest of it, with the numbers; null where all fits. */
export function fleetMisfitOf({ graph, encoding, panel }: FleetManifest): string | null {
  const { features, targets, leads, contextLength } = encoding;
  const sizes: [string, number, number][] = [
    ["encoding.targets", targets.length, graph.targets],
    ["encoding.leads", leads.length, graph.leads],
    ["encoding.contextLength", contextLength, graph.contextLength],
    ["features.links", features.links.length, targets.length],
    ["graph.channels", graph.channels, sequenceChannels(encoding)],
    ["graph.linear", graph.linear, linearOf(encoding)],
    ["graph.features", graph.features, featurePlaces(encoding).count],
    ...panel.map(({ change }): [string, number, number] => ["a change of the panel", change.length, targets.length]),
  ];
  const wrong = sizes.find(([, is, wanted]) => is !== wanted);
  if (wrong) return `${wrong[0]} has ${wrong[1]}, ${wrong[2]} expected`;
  const { skip } = graph;
  if (skip && (skip.linear > graph.linear || skip.leads > graph.leads)) {
    return `a skip of ${skip.linear} features and ${skip.leads} leads, of ${graph.linear} and ${graph.leads}`;
  }
  const answers = graph.leads * graph.targets * graph.quantiles.length;
  if (answers > mostAnswers) return `${answers} numbers a row, at most ${mostAnswers}`;
  const history = fleetHistoryLength(encoding);
  if (history > mostHistory) return `it looks back ${history} steps, at most ${mostHistory}`;
  const far = [...features.lags, ...features.otherLags].find((lag) => lag >= contextLength);
  if (far !== undefined) return `lag ${far} is beyond the context of ${contextLength}`;
  const { errorLeads, pathLeads, constantLeads } = encoding;
  const strange = [...errorLeads, ...pathLeads, ...constantLeads].find((lead) => !leads.includes(lead));
  if (strange !== undefined) return `lead ${strange} is looked at, and is none of its leads`;
  if (!ascends(leads)) return `leads ${leads} do not ascend`;
  if (!ascends(graph.quantiles)) return `quantiles ${graph.quantiles} do not rise`;
  if (new Set(targets.map(({ name }) => name)).size < targets.length) return "two targets have one name";
  if (new Set(panel.map(({ sensorId }) => sensorId)).size < panel.length) return "a sensor is in the panel twice";
  const empty = targets.find(({ min, max }) => !(min < max));
  return empty ? `target ${empty.name} has the range ${empty.min} to ${empty.max}` : null;
}

const fewestRows = 3;
/** What the encoder's features are bounded by inside of the graph, in deviations. */
const extremeFeature = 8;

/**
 * What golden vectors leave unproved of a fleet's graph: they are too few, or no row's features go to where the graph
 * bounds them, above and below. Null where nothing.
 */
export function fleetGoldenGap({ rows }: Pick<FleetGolden, "rows">): string | null {
  if (rows.length < fewestRows) return `${rows.length} golden vectors, at least ${fewestRows} are needed`;
  let [lowest, highest] = [0, 0];
  for (const { features } of rows) {
    for (const value of features) [lowest, highest] = [Math.min(lowest, value), Math.max(highest, value)];
  }
  if (lowest <= -extremeFeature && highest >= extremeFeature) return null;
  const text = `golden vectors have features from ${lowest} to ${highest}, extreme ones are missing`;
  return `${text}: ${extremeFeature} deviations above the mean and below`;
}

function ascends(values: number[]): boolean {
  return values.every((value, i) => i === 0 || value > values[i - 1]!);
}
