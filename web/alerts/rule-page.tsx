import { useEffect, useRef, useState } from "preact/hooks";
import { changeRule, getRule, makeRule, type Over, type Rehearsal, type Rule, removeRule } from "../api/alerts.ts";
import { type Channel, getChannels } from "../api/channels.ts";
import { getFleetPage } from "../api/requests.ts";
import { titleOf } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { navigate } from "../shell/route.ts";
import { Failed, Skeleton } from "../shell/states.tsx";
import type { TargetChoice } from "./condition-fields.tsx";
import { type Draft, draftOf, isRehearsable, prefilled, ruleOf } from "./draft.ts";
import { readPrefill } from "./prefill.ts";
import { RehearsalPanel } from "./rehearsal-panel.tsx";
import { RuleForm } from "./rule-form.tsx";
import { RuleStandings } from "./rule-standings.tsx";
import { useRehearsal } from "./use-rehearsal.ts";

const anySensor = { q: "", status: "", group: "", sort: "sensorId" };

/** A rule's editor and its rehearsal beside each other; a ruleId of null is a new one. */
export function RulePage({ ruleId, query }: { ruleId: string | null; query: URLSearchParams }) {
  const fleet = useLive("targets", (signal) => getFleetPage(anySensor, 0, 1, signal));
  const channels = useLive("alert-channels", getChannels);
  const rule = useLive<Rule | null>(`rule ${ruleId}`, (signal) =>
    ruleId === null ? Promise.resolve({ ok: true, data: null }) : getRule(ruleId, signal),
  );
  const failure = rule.failure ?? fleet.failure;
  const isReady = fleet.data !== null && (ruleId === null || rule.data !== null);
  const areChannelsKnown = channels.data !== null || channels.failure !== null;
  return (
    <div class="page">
      <nav class="crumbs" aria-label="You are here">
        <a href="/alerts" data-route>
          Alerts
        </a>
      </nav>
      <div class="title">
        <h1>{ruleId === null ? "New rule" : (rule.data?.name ?? "Rule")}</h1>
      </div>
      {isReady && areChannelsKnown ? (
        <Editor
          rule={rule.data}
          query={query}
          targets={fleet.data?.items[0]?.targets ?? []}
          known={channels.data?.items ?? []}
          problem={channels.failure?.detail ?? null}
        />
      ) : failure !== null ? (
        <Failed failure={failure} onRetry={rule.retry} />
      ) : (
        <Skeleton height={480} label="Loading the rule" />
      )}
    </div>
  );
}

type Props = {
  rule: Rule | null;
  query: URLSearchParams;
  targets: TargetChoice[];
  known: Channel[];
  problem: string | null;
};

function Editor({ rule, query, targets, known, problem: channelProblem }: Props) {
  const [draft, setDraft] = useState<Draft>(() => withTarget(rule === null ? newDraft(query) : draftOf(rule), targets));
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [added, setAdded] = useState<Channel[]>([]);
  const [over, setOver] = useState<Over>("ledger");
  const rehearsal = useRehearsal();
  const canRehearse = isRehearsable(draft.kind);
  const unit = targets.find(({ target }) => target === draft.target)?.unit ?? "";
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));

  const rehearseNow = (of: Draft, by: Over = over) => {
    const made = ruleOf({ ...of, name: of.name.trim() === "" ? "rehearsed" : of.name });
    setProblem(made.ok ? null : made.problem);
    if (made.ok) void rehearsal.run(made.rule, by);
  };
  // Who comes from a chart, or to a rule that stands, sees at once what it would have done.
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current && canRehearse && (rule !== null || query.has("sensor"))) rehearseNow(draft);
    isFirst.current = false;
  }, []);

  const save = async () => {
    const made = ruleOf(draft);
    if (!made.ok) return setProblem(made.problem);
    setBusy(true);
    const answer = await (rule === null ? makeRule(made.rule) : changeRule(rule.ruleId, made.rule));
    setBusy(false);
    if (answer.ok) navigate("/alerts");
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const remove = async () => {
    if (rule === null) return;
    const answer = await removeRule(rule.ruleId);
    if (answer.ok) navigate("/alerts");
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const pick = (point: Rehearsal["tradeOff"][number]) => {
    const picked = { ...draft, chance: String(Math.round(100 * point.chance)), ...movedLimits(draft, point.shift) };
    setDraft(picked);
    rehearseNow(picked);
  };
  return (
    <>
      {rule !== null && <RuleStandings rule={rule} />}
      <div class="halves">
        <section class="section" aria-labelledby="editor">
          <h2 id="editor">Rule</h2>
          <RuleForm
            {...{ draft, change, targets, problem, isBusy }}
            isNew={rule === null}
            channels={{
              known: [...known, ...added.filter((one) => known.every(({ channelId }) => channelId !== one.channelId))],
              problem: channelProblem,
              onAdded: (channel) => setAdded([...added, channel]),
            }}
            onSave={() => void save()}
            onRemove={() => void remove()}
          />
        </section>
        <RehearsalPanel
          {...{ ...rehearsal, canRehearse, unit }}
          target={draft.target}
          chance={Number(draft.chance) / 100}
          over={over}
          onOver={(by) => {
            setOver(by);
            rehearseNow(draft, by);
          }}
          onRehearse={() => rehearseNow(draft)}
          onPick={pick}
        />
      </div>
    </>
  );
}

function newDraft(query: URLSearchParams): Draft {
  const given = readPrefill(query);
  const { sensorId, target, side, limit } = given;
  const name = target === null ? "" : `${titleOf(target)} ${side} ${limit === "" ? "its limit" : limit}`;
  return prefilled(given, sensorId === null ? name : `${sensorId}: ${name}`.slice(0, 100));
}

/** With a target that there is. */
function withTarget(draft: Draft, targets: TargetChoice[]): Draft {
  return targets.some(({ target }) => target === draft.target)
    ? draft
    : { ...draft, target: targets[0]?.target ?? draft.target };
}

/** The limits as far outwards as a point of the trade-off has them. */
function movedLimits({ low, high }: Draft, shift: number): Partial<Draft> {
  const moved = (text: string, by: number) =>
    text.trim() === "" || by === 0 ? text : String(Number((Number(text) + by).toPrecision(10)));
  return { low: moved(low, -shift), high: moved(high, shift) };
}
