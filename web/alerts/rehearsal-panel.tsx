import type { Over, Rehearsal } from "../api/alerts.ts";
import type { Failure } from "../api/client.ts";
import { formatDuration, formatTime, plural } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Notice } from "../shell/states.tsx";
import { EventList } from "./event-list.tsx";
import { SelectField } from "./fields.tsx";
import { TradeOffCurve } from "./trade-off.tsx";

const sources = [
  ["ledger", "the forecasts as issued"],
  ["backtest", "a backtest of the history"],
] as const;

type Props = {
  rehearsal: Rehearsal | null;
  failure: Failure | null;
  isBusy: boolean;
  /** False for kinds that nothing can be held against. */
  canRehearse: boolean;
  target: string;
  unit: string;
  chance: number;
  over: Over;
  onOver: (over: Over) => void;
  onRehearse: () => void;
  onPick: (point: Rehearsal["tradeOff"][number]) => void;
};

/** What the rule would have done: counts, the trade-off to pick from, and each event with its chart. */
export function RehearsalPanel(props: Props) {
  const { rehearsal, failure, isBusy, canRehearse, target, unit, chance } = props;
  return (
    <section class="section" aria-labelledby="rehearsal" aria-busy={isBusy}>
      <h2 id="rehearsal">What it would have done</h2>
      <div class="panel rehearsal">
        {!canRehearse ? (
          <p class="muted">
            Rules on forecasts and on measured values can be rehearsed; what this kind watches is not kept.
          </p>
        ) : (
          <div class="form-row">
            <button type="button" class="button" onClick={props.onRehearse} disabled={isBusy}>
              {isBusy ? "Rehearsing…" : rehearsal === null ? "Rehearse" : "Rehearse again"}
            </button>
            <SelectField label="over" value={props.over} options={sources} onPick={props.onOver} />
          </div>
        )}
        <div role="status">
          {failure !== null && (
            <Notice tone="bad">
              <b>{failure.title}.</b> {failure.detail}
            </Notice>
          )}
          {canRehearse && rehearsal !== null && <Summary rehearsal={rehearsal} />}
        </div>
        {canRehearse && rehearsal !== null && (
          <>
            {rehearsal.tradeOff.length > 0 && (
              <TradeOffCurve points={rehearsal.tradeOff} unit={unit} chance={chance} onPick={props.onPick} />
            )}
            <EventList events={rehearsal.events} target={target} unit={unit} />
          </>
        )}
      </div>
    </section>
  );
}

function Summary({ rehearsal }: { rehearsal: Rehearsal }) {
  const { zone } = usePreferences();
  const { fired, missed, warningSeconds, slots, blindSlots, sensorIds, selected, from, to } = rehearsal;
  const day = (at: string) => formatTime(Date.parse(at), zone, "dayClock");
  const warned =
    warningSeconds === null
      ? ""
      : `, ${formatDuration(warningSeconds.median)} before in the median, ${formatDuration(warningSeconds.least)} at worst`;
  return (
    <p>
      From {day(from)} to {day(to)}, over {plural(sensorIds.length, "sensor")}
      {selected > sensorIds.length && ` of ${selected}`}, it would have fired {plural(fired, "time")}: {rehearsal.true}{" "}
      true{warned}; {rehearsal.false} false; {missed} missed; {rehearsal.open} not over.
      {rehearsal.leftOutSlots > 0 && ` ${plural(rehearsal.leftOutSlots, "look")} left out by annotations.`}
      {blindSlots > 0 && ` It would have been blind in ${blindSlots} of ${slots} looks.`}
      {rehearsal.over === "backtest" && ` This is ${rehearsal.overText}.`}
    </p>
  );
}
