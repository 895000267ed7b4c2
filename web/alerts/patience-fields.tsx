import type { Rule } from "../api/alerts.ts";
import { CheckField, type Edit, SelectField, TextField } from "./fields.tsx";

const severities = [
  ["info", "info"],
  ["warning", "warning"],
  ["critical", "critical"],
] as const;

/** How long it waits, when it is over, how often it tells, and when it does not. */
export function PatienceFields(edit: Edit) {
  const { draft, change } = edit;
  return (
    <details class="more">
      <summary>Severity, patience, repeats and mutes</summary>
      <div class="form">
        <div class="form-row">
          <SelectField
            label="Severity"
            value={draft.severity}
            options={severities}
            onPick={(severity) => change({ severity })}
          />
          <TextField {...edit} name="pendingCycles" label="Cycles in a row before" isNumber />
          <TextField {...edit} name="repeatHours" label="Tell again after, hours" hint="never" isNumber />
        </div>
        <div class="form-row">
          <TextField {...edit} name="clearMargin" label="Over once inside by" isNumber />
          <TextField {...edit} name="clearChance" label="and below a chance of, %" hint="as it fires" isNumber />
        </div>
        <MutedUntil {...edit} />
        <MuteWindows {...edit} />
      </div>
    </details>
  );
}

function MutedUntil({ draft, change }: Edit) {
  const local = draft.mutedUntil === null ? "" : toLocal(new Date(draft.mutedUntil));
  return (
    <div class="form-row">
      <label class="field">
        <span>Muted until</span>
        <input
          type="datetime-local"
          value={local}
          onChange={(event) => {
            const at = new Date(event.currentTarget.value);
            change({ mutedUntil: Number.isNaN(at.getTime()) ? null : at.toISOString() });
          }}
        />
      </label>
      <button type="button" class="button" onClick={() => change({ mutedUntil: null })} disabled={local === ""}>
        Not muted
      </button>
    </div>
  );
}

function toLocal(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

type Window = Rule["muteWindows"][number];
const weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const nightly = (): Window => ({
  days: [1, 2, 3, 4, 5, 6, 7],
  ...{ from: "22:00", to: "06:00" },
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
});

function MuteWindows({ draft, change }: Edit) {
  const set = (muteWindows: Window[]) => change({ muteWindows });
  return (
    <>
      {draft.muteWindows.map((window, i) => (
        <MuteWindowFields
          key={i}
          number={i + 1}
          window={window}
          onChange={(part) => set(draft.muteWindows.map((one, k) => (k === i ? { ...one, ...part } : one)))}
          onRemove={() => set(draft.muteWindows.filter((_, k) => k !== i))}
        />
      ))}
      <div>
        <button type="button" class="button" onClick={() => set([...draft.muteWindows, nightly()])}>
          Add hours without notices
        </button>
      </div>
    </>
  );
}

type WindowProps = { number: number; window: Window; onChange: (part: Partial<Window>) => void; onRemove: () => void };

function MuteWindowFields({ number, window, onChange, onRemove }: WindowProps) {
  const time = (name: "from" | "to") => (
    <label class="field">
      <span>{name}</span>
      <input type="time" value={window[name]} onInput={(event) => onChange({ [name]: event.currentTarget.value })} />
    </label>
  );
  return (
    <fieldset class="form">
      <legend>No notices, {number}</legend>
      <div class="form-row">
        {time("from")}
        {time("to")}
        <label class="field">
          <span>by the clock of</span>
          <input value={window.timeZone} onInput={(event) => onChange({ timeZone: event.currentTarget.value })} />
        </label>
      </div>
      <div class="form-row">
        {weekdays.map((name, i) => (
          <CheckField
            key={name}
            isOn={window.days.includes(i + 1)}
            onChange={(isOn) => onChange({ days: daysWith(window.days, i + 1, isOn) })}
          >
            {name}
          </CheckField>
        ))}
        <button type="button" class="button" onClick={onRemove}>
          Remove these hours
        </button>
      </div>
    </fieldset>
  );
}

function daysWith(days: number[], day: number, isOn: boolean): number[] {
  return [...days.filter((one) => one !== day), ...(isOn ? [day] : [])].sort((a, b) => a - b);
}
