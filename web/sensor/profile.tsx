import { useState } from "preact/hooks";
import type { Profile, Sensor } from "../../functions/api/contract/sensors.ts";
import type { Failure } from "../api/client.ts";
import { changeProfile } from "../api/requests.ts";
import { titleOf, withUnit } from "../format.ts";
import { FormEnd } from "./form-end.tsx";
import { changeOf, type Draft, draftOf, type ProfileChange } from "./profile-draft.ts";

type Props = { sensor: Sensor; onChanged: () => void };

/** What people call the sensor, where it hangs, and between which values it should stay; edited in place. */
export function ProfilePanel({ sensor, onChanged }: Props) {
  const [isEditing, setEditing] = useState(false);
  return (
    <section class="section" aria-labelledby="about">
      <h2 id="about">About this sensor</h2>
      <div class="panel">
        {isEditing ? (
          <ProfileForm
            sensor={sensor}
            onDone={(isChanged) => {
              setEditing(false);
              if (isChanged) onChanged();
            }}
          />
        ) : (
          <>
            <Facts sensor={sensor} />
            <button type="button" class="button" onClick={() => setEditing(true)}>
              Edit
            </button>
          </>
        )}
      </div>
    </section>
  );
}

function Facts({ sensor: { profile, targets } }: { sensor: Sensor }) {
  const facts: [string, string | null][] = [
    ["Name", profile.name],
    ["Group", profile.group],
    ["Place", profile.place],
    ...targets.map(({ target, unit }): [string, string | null] => [
      `${titleOf(target)}, limits`,
      limitsText(profile.limits[target], unit),
    ]),
    ["Notes", profile.notes],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class={name === "Notes" ? "notes" : ""}>{value ?? <span class="muted">none</span>}</dd>
        </div>
      ))}
    </dl>
  );
}

function limitsText(limits: Profile["limits"][string] | undefined, unit: string): string | null {
  const { low = null, high = null } = limits ?? {};
  if (low === null) return high === null ? null : `at most ${withUnit(String(high), unit)}`;
  return high === null ? `at least ${withUnit(String(low), unit)}` : withUnit(`${low} to ${high}`, unit);
}

function ProfileForm({ sensor, onDone }: { sensor: Sensor; onDone: (isChanged: boolean) => void }) {
  const [draft, setDraft] = useState<Draft>(() => draftOf(sensor));
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    const made = changeOf(sensor, draft);
    if (!made.ok) return setProblem(made.problem);
    if (Object.keys(made.change).length === 0) return onDone(false);
    setBusy(true);
    const failure = await store(sensor.sensorId, made.change);
    setBusy(false);
    if (failure === null) onDone(true);
    else setProblem(`${failure.title}: ${failure.detail}`);
  };
  const text = (name: "name" | "group" | "place", label: string, maxLength: number, hint?: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        maxLength={maxLength}
        placeholder={hint}
        value={draft[name]}
        onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
      />
    </label>
  );
  const limit = (target: string, side: "low" | "high", label: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        inputMode="decimal"
        value={draft.limits[target]?.[side] ?? ""}
        onInput={(event) => {
          const own = { low: "", high: "", ...draft.limits[target], [side]: event.currentTarget.value };
          setDraft({ ...draft, limits: { ...draft.limits, [target]: own } });
        }}
      />
    </label>
  );
  return (
    <form
      class="form"
      aria-label={`Edit ${sensor.sensorId}`}
      aria-busy={isBusy}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      {text("name", "Name", 100)}
      {text("group", "Group", 200, "site/building/room")}
      {text("place", "Place", 200)}
      {sensor.targets.map(({ target, unit }) => (
        <fieldset key={target} class="form-row">
          <legend>
            {titleOf(target)} should stay{unit === "" ? "" : `, ${unit}`}
          </legend>
          {limit(target, "low", "at least")}
          {limit(target, "high", "at most")}
        </fieldset>
      ))}
      <label class="field">
        <span>Notes</span>
        <textarea
          rows={3}
          maxLength={5000}
          value={draft.notes}
          onInput={(event) => setDraft({ ...draft, notes: event.currentTarget.value })}
        />
      </label>
      <FormEnd problem={problem} isBusy={isBusy} onCancel={() => onDone(false)} />
    </form>
  );
}

async function store(sensorId: string, change: ProfileChange): Promise<Failure | null> {
  const answer = await changeProfile(sensorId, change);
  return answer.ok ? null : answer.failure;
}
