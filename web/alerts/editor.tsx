import { useState } from "preact/hooks";
import { makeRule, type Rehearsal, type RuleDraft, rehearse } from "../api/alerts.ts";
import type { Failure } from "../api/client.ts";
import { formatDuration, formatPercent, plural } from "../format.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { Notice } from "../shell/states.tsx";

type Draft = { name: string; target: string; side: "above" | "below"; limit: string; chance: string; hours: string };
const empty: Draft = { name: "", target: "temperature", side: "above", limit: "", chance: "35", hours: "3" };

/** A rule on a forecast, rehearsed over the last week before it is made. */
export function RuleEditor({ onMade }: { onMade: () => void }) {
  const [draft, setDraft] = useState(empty);
  const [rehearsal, setRehearsal] = useState<Rehearsal | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [isBusy, setBusy] = useState(false);
  const change = (part: Partial<Draft>) => {
    setDraft({ ...draft, ...part });
    setRehearsal(null);
  };
  const act = async (make: boolean) => {
    setBusy(true);
    setFailure(null);
    const answer = make ? await makeRule(toRule(draft)) : await rehearse(toRule(draft));
    setBusy(false);
    if (!answer.ok) setFailure(answer.failure);
    else if ("events" in answer.data) setRehearsal(answer.data);
    else {
      setDraft(empty);
      setRehearsal(null);
      onMade();
    }
  };
  const words = (name: "name" | "target", label: string, maxLength: number) => (
    <label class="field">
      <span>{label}</span>
      <input
        required
        maxLength={maxLength}
        value={draft[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  const figure = (name: "limit" | "chance" | "hours", label: string, bounds: { min?: number; max?: number } = {}) => (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        required
        step="any"
        {...bounds}
        value={draft[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form
      class="rule-editor"
      aria-busy={isBusy}
      onSubmit={(event) => {
        event.preventDefault();
        const by = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "rehearse";
        void act(by === "make");
      }}
    >
      {words("name", "Name", 100)}
      {words("target", "Target", 63)}
      <label class="field">
        <span>Side</span>
        <select
          value={draft.side}
          onChange={(event) => change({ side: event.currentTarget.value === "below" ? "below" : "above" })}
        >
          <option value="above">above</option>
          <option value="below">below</option>
        </select>
      </label>
      {figure("limit", "Limit")}
      {figure("chance", "Chance, %", { min: 1, max: 99 })}
      {figure("hours", "Within, hours", { min: 0.1, max: 168 })}
      <div class="rule-buttons">
        <button type="submit" class="button" value="rehearse" disabled={isBusy}>
          Rehearse
        </button>
        <button type="submit" class="button" value="make" disabled={isBusy}>
          Make the rule
        </button>
      </div>
      <div role="status">
        {failure !== null && (
          <Notice tone="bad">
            <b>{failure.title}.</b> {failure.detail}
          </Notice>
        )}
        {rehearsal !== null && <RehearsalText rehearsal={rehearsal} />}
      </div>
      {rehearsal !== null && <TradeOffs rehearsal={rehearsal} onPick={(chance) => change({ chance })} />}
    </form>
  );
}

function toRule({ name, target, side, limit, chance, hours }: Draft): RuleDraft {
  const limits = side === "above" ? { high: Number(limit) } : { low: Number(limit) };
  const withinSeconds = Math.round(3_600 * Number(hours));
  const condition = { kind: "forecast", target, ...limits, chance: Number(chance) / 100, withinSeconds } as const;
  return { name, selector: { all: true }, condition };
}

function RehearsalText({ rehearsal }: { rehearsal: Rehearsal }) {
  const { fired, missed, warningSeconds, slots, blindSlots, sensorIds } = rehearsal;
  const warned =
    warningSeconds === null
      ? ""
      : `, ${formatDuration(warningSeconds.median)} before in the median, ${formatDuration(warningSeconds.least)} at worst`;
  const blind = blindSlots === 0 ? "" : ` It would have been blind in ${blindSlots} of ${slots} looks.`;
  return (
    <p>
      In the last week, over {plural(sensorIds.length, "sensor")}, it would have fired {plural(fired, "time")}:{" "}
      {rehearsal.true} true{warned}; {rehearsal.false} false; {missed} missed; {rehearsal.open} not over.{blind}
    </p>
  );
}

function TradeOffs({ rehearsal, onPick }: { rehearsal: Rehearsal; onPick: (chance: string) => void }) {
  return (
    <Scrolling label="Trade-off">
      <thead>
        <tr>
          <th scope="col">Chance</th>
          <th scope="col">Limits moved by</th>
          <th scope="col">True</th>
          <th scope="col">False</th>
          <th scope="col">Missed</th>
          <th scope="col">Warning</th>
          <th scope="col">Take it</th>
        </tr>
      </thead>
      <tbody>
        {rehearsal.tradeOff.map((point) => (
          <tr key={`${point.chance} ${point.shift}`}>
            <td>{formatPercent(point.chance)}</td>
            <td>{point.shift}</td>
            <td>{point.true}</td>
            <td>{point.false}</td>
            <td>{point.missed}</td>
            <td>{point.warningSeconds === null ? "–" : formatDuration(point.warningSeconds.median)}</td>
            <td>
              {point.shift === 0 && point.chance !== null && (
                <button
                  type="button"
                  class="button button-quiet"
                  onClick={() => onPick(String(Math.round(100 * (point.chance ?? 0))))}
                >
                  Take {formatPercent(point.chance)}
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}
