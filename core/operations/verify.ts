import type { Fleet } from "../data/reading.ts";
import type { Ports } from "../ports.ts";
import { addSeconds } from "../time.ts";
import { type HoleSettings, missingSlots } from "./holes.ts";
import { wrongModels } from "./verify-models.ts";
import { type ScoreSettings, wrongScores } from "./verify-scores.ts";

/** Slots in [from, to]. */
export type VerifyRange = { from: Date; to: Date };

/** What one rule found: how many cases, and some of them in words. */
export type Finding = { count: number; examples: string[] };

export type VerifyPorts = Pick<Ports, "clock" | "evidence" | "registry" | "store" | "fleetFiles"> & {
  ledger: Pick<Ports["ledger"], "gaps">;
  follower: Pick<Ports["follower"], "readWindows">;
  scores: Pick<Ports["scores"], "maturing">;
};

export type VerifySettings = {
  fleet: Fleet;
  schedule: Pick<HoleSettings, "stepSeconds" | "cycleSeconds" | "dueSlots">;
  score: ScoreSettings;
  /** Score rows that are computed again. */
  sample: number;
};

type Rule = {
  rule: string;
  look(ports: VerifyPorts, settings: VerifySettings, range: VerifyRange): Promise<Finding>;
};

/** The result of one rule; `count` 0 where all is well. */
export type Verified = Finding & { rule: string };

/** Cases that a rule tells of; it counts them all. */
const mostExamples = 5;
/** Cycles that may still be at work: a slot has its outcomes within two steps. */
const atWorkSteps = 2;

/** What must hold of every predictor database, each rule over a range of slots. */
export const rules: Rule[] = [
  {
    rule: "every slot has a cycle",
    async look({ ledger }, { schedule }, { from, to }) {
      const missing = missingSlots(await ledger.gaps(schedule.cycleSeconds), schedule);
      return findingOf(missing.filter((slot) => slot >= from && slot <= to).map((slot) => slot.toISOString()));
    },
  },
  {
    rule: "every sensor of a slot has an outcome",
    async look({ clock, evidence }, { schedule }, { from, to }) {
      const settled = addSeconds(clock.now(), -atWorkSteps * schedule.stepSeconds);
      const { count, first } = await evidence.unfinished({ from, to: to < settled ? to : settled }, mostExamples);
      const say = (one: (typeof first)[number]) =>
        `slot ${one.slot.toISOString()}: ${one.outcomes} of ${one.sensors} sensors have an outcome`;
      return { count, examples: first.map(say) };
    },
  },
  {
    rule: "no forecast knows what came after its origin",
    async look({ evidence }, _, range) {
      const { count, first } = await evidence.foresight(range, mostExamples);
      const say = ({ origin, readThrough, learntThrough, trainedTo, issuedAt, ...row }: (typeof first)[number]) => {
        const later = Object.entries({
          "read to": readThrough,
          "learnt to": learntThrough,
          "model of data to": trainedTo,
        })
          .filter(([, at]) => at !== null && at > origin)
          .map(([what, at]) => `${what} ${at?.toISOString()}`);
        const early = issuedAt < origin ? [`issued at ${issuedAt.toISOString()}`] : [];
        return `${nameOf({ origin, ...row })}: ${[...later, ...early].join(", ")}`;
      };
      return { count, examples: first.map(say) };
    },
  },
  {
    rule: "quantiles are numbers and do not cross",
    async look({ evidence }, _, range) {
      const { count, first } = await evidence.crossed(range, mostExamples);
      return { count, examples: first.map((one) => `${nameOf(one)}: lead ${one.lead}`) };
    },
  },
  {
    rule: "nothing is stored twice",
    async look({ evidence }, _, range) {
      const { count, first } = await evidence.doubles(range, mostExamples);
      return { count, examples: first.map(({ what, key, rows }) => `${what} ${key}: ${rows} rows`) };
    },
  },
  {
    rule: "scores are what forecasts and readings come to",
    look: async (ports, settings, range) => findingOf(await wrongScores(ports, settings, range)),
  },
  {
    rule: "models lie in the store as they were registered",
    look: async (ports) => findingOf(await wrongModels(ports)),
  },
];

/** Every rule's result, in order. Reads only. */
export async function verify(ports: VerifyPorts, settings: VerifySettings, range: VerifyRange): Promise<Verified[]> {
  const results: Verified[] = [];
  for (const { rule, look } of rules) results.push({ rule, ...(await look(ports, settings, range)) });
  return results;
}

function findingOf(cases: string[]): Finding {
  return { count: cases.length, examples: cases.slice(0, mostExamples) };
}

function nameOf(row: { sensorId: string; target: string; origin: Date; modelKey: string }): string {
  return `${row.sensorId} ${row.target} from ${row.origin.toISOString()} by ${row.modelKey}`;
}
