import { AggregatorRegistry, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Cycle } from "../../core/forecast/cycle.ts";
import type { Counted, Metrics, SystemState } from "../../core/metrics.ts";

type Samples = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/**
 * Instruments of one process, with Node's own (event loop lag, memory, garbage collection) among them; all have the
 * label `process` where it is named.
 */
export function prometheusMetrics(version: string, process?: string): Metrics {
  const registry = new Registry();
  if (process !== undefined) registry.setDefaultLabels({ process });
  let countOthers: () => Promise<Counted> = async () => [];
  const counted = () => registry.getMetricsAsJSON();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: "predictor_request_duration_seconds",
    help: "Time to answer a request",
    labelNames: ["operation", "status"],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const stages = new Histogram({
    name: "predictor_stage_duration_seconds",
    help: "Time that a batch of messages or a scheduled task took",
    labelNames: ["stage", "result"],
    buckets: [0.05, 0.25, 1, 5, 20, 60, 300],
    registers,
  });
  const build = new Gauge({ name: "predictor_build_info", help: "1", labelNames: ["version"], registers });
  build.set({ version }, 1);
  return {
    request: ({ operation, status }, seconds) => requests.observe({ operation, status: String(status) }, seconds),
    timed: (stage, work) => {
      return async (...args) => {
        const end = stages.startTimer({ stage });
        try {
          const result = await work(...args);
          end({ result: "ok" });
          return result;
        } catch (error) {
          end({ result: "error" });
          throw error;
        }
      };
    },
    counted,
    join(others) {
      countOthers = others;
    },
    async write(state) {
      const facts = await registryOf(state).getMetricsAsJSON();
      // What others counted comes from this same function.
      const all = [await counted(), (await countOthers()) as Samples, facts];
      const text = await together(all).metrics();
      return { text, contentType: Registry.PROMETHEUS_CONTENT_TYPE };
    },
  };
}

/** No two samples have the same labels, so that whatever is summed here is one number. */
function together(all: Samples[]): Registry {
  return AggregatorRegistry.aggregate(all.map((one) => one.map((metric) => ({ ...metric, aggregator: "sum" }))));
}

/** Gauges of the state alone: what was there at the scrape before must not stay. */
function registryOf({ source, cycle, queue, database, sensors, accuracy }: SystemState): Registry {
  const facts = new Registry();
  writeSource(facts, source);
  if (cycle) writeCycle(facts, cycle);
  writeQueue(facts, queue);
  gauge(facts, "predictor_sensors", "Sensors ever seen")({}, sensors);
  gauge(facts, "predictor_database_bytes", "Size of the predictor database")({}, database.bytes);
  const table = gauge(facts, "predictor_table_bytes", "Size of a table with its indices", ["table"]);
  for (const { name, bytes } of database.tables) table({ table: name }, bytes);
  writeAccuracy(facts, accuracy);
  return facts;
}

/** A gauge that is not there until something is known: no sample is better than a wrong one. */
function gauge<Label extends string>(registry: Registry, name: string, help: string, labelNames: Label[] = []) {
  let made: Gauge<Label> | undefined;
  return (labels: Record<Label, string>, value: number | null) => {
    if (value === null) return;
    made ??= new Gauge({ name, help, labelNames, registers: [registry] });
    made.set(labels, value);
  };
}

function writeSource(
  facts: Registry,
  { isReachable, ageSeconds, readingsAhead, lagBytes }: SystemState["source"],
): void {
  gauge(facts, "predictor_source_up", "1 while the follower answers")({}, isReachable ? 1 : 0);
  gauge(facts, "predictor_source_age_seconds", "Age of the newest reading")({}, ageSeconds);
  gauge(facts, "predictor_source_readings_ahead", "Readings stamped ahead of the clock")({}, readingsAhead);
  gauge(facts, "predictor_source_lag_bytes", "Write-ahead log that the follower has not replayed")({}, lagBytes);
}

function writeCycle(facts: Registry, cycle: Cycle): void {
  const at = gauge(facts, "predictor_cycle_slot_timestamp_seconds", "Slot of the newest cycle");
  at({}, cycle.slot.getTime() / 1000);
  gauge(facts, "predictor_cycle_sensors", "Sensors of the newest cycle")({}, cycle.sensors);
  const outcomes = gauge(facts, "predictor_cycle_outcomes", "Sensors of the newest cycle by outcome", ["status"]);
  for (const status of ["issued", "baseline", "refused", "expired"] as const) outcomes({ status }, cycle[status]);
}

function writeQueue(facts: Registry, queue: SystemState["queue"]): void {
  const messages = gauge(facts, "predictor_queue_messages", "Messages by state", ["queue", "state"]);
  const dead = gauge(facts, "predictor_dead_letters", "Messages that failed again and again", ["queue"]);
  for (const { name, waiting, active, failed } of queue) {
    const alive = name.replace(/-dead$/, "");
    if (alive !== name) dead({ queue: alive }, waiting);
    else
      for (const [state, count] of Object.entries({ waiting, active, failed })) messages({ queue: name, state }, count);
  }
}

function writeAccuracy(facts: Registry, accuracy: SystemState["accuracy"]): void {
  const coverage = gauge(facts, "predictor_fleet_coverage_ratio", "Actuals inside the 80 % band, last hour", [
    "target",
  ]);
  const skill = gauge(facts, "predictor_fleet_skill_ratio", "1 - MAE / MAE of persistence, last hour", ["target"]);
  const scores = gauge(facts, "predictor_fleet_scored_leads", "Leads scored in the last hour", ["target"]);
  for (const { target, n, covered, absoluteError, persistenceError } of accuracy) {
    scores({ target }, n);
    coverage({ target }, n > 0 ? covered / n : null);
    skill({ target }, persistenceError > 0 ? 1 - absoluteError / persistenceError : null);
  }
}
