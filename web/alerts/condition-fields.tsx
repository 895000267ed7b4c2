import { titleOf, withUnit } from "../format.ts";
import type { Kind } from "./draft.ts";
import { isOfSystem } from "./draft.ts";
import { type Edit, SelectField, TextField } from "./fields.tsx";

export type TargetChoice = { target: string; unit: string };

const kinds: readonly (readonly [Kind, string])[] = [
  ["forecast", "Forecast crosses a limit"],
  ["forecastChange", "Forecast rises or falls fast"],
  ["observed", "Measured value beyond a limit"],
  ["silent", "Sensor silent"],
  ["unforecast", "Forecast refused, or by a baseline"],
  ["accuracy", "Coverage or skill fell"],
  ["sourceAge", "Source lags: no sensor reports"],
  ["databaseSize", "Database grew too large"],
  ["backupAge", "Backup too old"],
];

/** What the rule watches and what makes it fire, kind by kind. */
export function ConditionFields(edit: Edit & { targets: TargetChoice[] }) {
  const { draft, change, targets } = edit;
  return (
    <>
      <SelectField label="Fires when" value={draft.kind} options={kinds} onPick={(kind) => change({ kind })} />
      <fieldset class="form-row">
        <legend>Condition</legend>
        {hasTarget(draft.kind) && (
          <SelectField
            label="Target"
            value={draft.target}
            options={targets.map(({ target }) => [target, titleOf(target)] as const)}
            onPick={(target) => change({ target })}
          />
        )}
        <KindFields {...edit} unit={targets.find(({ target }) => target === draft.target)?.unit ?? ""} />
      </fieldset>
      {!isOfSystem(draft.kind) && <SelectorFields {...edit} />}
    </>
  );
}

function hasTarget(kind: Kind): boolean {
  return kind === "forecast" || kind === "forecastChange" || kind === "observed" || kind === "accuracy";
}

function KindFields({ unit, ...edit }: Edit & { unit: string }) {
  const ahead = (
    <>
      <TextField {...edit} name="chance" label="Chance at least, %" isNumber />
      <TextField {...edit} name="withinHours" label="Within, hours" isNumber />
    </>
  );
  const limits = (
    <>
      <TextField {...edit} name="low" label={withUnit("Below,", unit)} hint="no limit" isNumber />
      <TextField {...edit} name="high" label={withUnit("Above,", unit)} hint="no limit" isNumber />
    </>
  );
  const { kind, low, high } = edit.draft;
  const isOwn = (kind === "forecast" || kind === "observed") && low.trim() === "" && high.trim() === "";
  const own = isOwn && <p class="muted hint">Without limits each sensor's own count (its page has them).</p>;
  switch (kind) {
    case "forecast":
      return (
        <>
          {limits}
          {ahead}
          {own}
        </>
      );
    case "forecastChange":
      return (
        <>
          <TextField {...edit} name="perHour" label={withUnit("Change an hour,", unit)} hint="-2 falls" isNumber />
          {ahead}
        </>
      );
    case "observed":
      return (
        <>
          {limits}
          {own}
        </>
      );
    case "accuracy":
      return (
        <>
          <TextField {...edit} name="coverageBelow" label="Coverage below, %" hint="any" isNumber />
          <TextField {...edit} name="skillBelow" label="Skill below, %" hint="any" isNumber />
        </>
      );
    case "databaseSize":
      return <TextField {...edit} name="aboveMegabytes" label="Larger than, MB" isNumber />;
    default:
      return <TextField {...edit} name="forMinutes" label="For, minutes" isNumber />;
  }
}

const selectors = [
  ["all", "All sensors"],
  ["group", "A group and all within it"],
  ["sensors", "These sensors"],
] as const;

function SelectorFields(edit: Edit) {
  const { draft, change } = edit;
  return (
    <fieldset class="form-row">
      <legend>Watches</legend>
      <SelectField
        label="Sensors"
        value={draft.watches}
        options={selectors}
        onPick={(watches) => change({ watches })}
      />
      {draft.watches === "group" && <TextField {...edit} name="group" label="Group" hint="site/building" />}
      {draft.watches === "sensors" && (
        <label class="field">
          <span>Sensor ids, one a line</span>
          <textarea
            rows={Math.min(6, draft.sensorIds.split("\n").length)}
            value={draft.sensorIds}
            onInput={(event) => change({ sensorIds: event.currentTarget.value })}
          />
        </label>
      )}
    </fieldset>
  );
}
