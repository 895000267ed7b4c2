import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SensorTarget } from "../../functions/api/contract/sensors.ts";
import type { Answer } from "../api/client.ts";
import type { Annotation, AnnotationKind } from "../client/client.ts";
import { titleOf, type Zone } from "../format.ts";
import { type Draft, kinds } from "./annotation-draft.ts";
import { FormEnd } from "./form-end.tsx";

type Props = {
  label: string;
  initial: Draft;
  targets: SensorTarget[];
  zone: Zone;
  /** Stores it; what is wrong with it in words, or what the API said. */
  onSave: (draft: Draft) => Promise<string | Answer<Annotation>>;
  onDone: (made: Annotation | null) => void;
};

/** What is said of a stretch; opens with the focus on its first field. */
export function AnnotationForm({ label, initial, targets, zone, onSave, onDone }: Props) {
  const [draft, setDraft] = useState(initial);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const first = useRef<HTMLSelectElement>(null);
  useLayoutEffect(() => {
    setDraft(initial);
    first.current?.focus();
  }, [initial]);
  const save = async () => {
    setBusy(true);
    const answer = await onSave(draft);
    setBusy(false);
    if (typeof answer === "string") setProblem(answer);
    else if (answer.ok) onDone(answer.data);
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const clock = zone === "utc" ? "UTC" : "local time";
  const time = (name: "from" | "to", text: string) => (
    <label class="field">
      <span>
        {text}, {clock}
      </span>
      <input
        type="datetime-local"
        value={draft[name]}
        onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <form
      class="form"
      aria-label={label}
      aria-busy={isBusy}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape") onDone(null);
      }}
    >
      <label class="field">
        <span>What it was</span>
        <select
          ref={first}
          value={draft.kind}
          onChange={(event) => setDraft({ ...draft, kind: event.currentTarget.value as AnnotationKind })}
        >
          {kinds.map(({ kind, hint }) => (
            <option key={kind} value={kind}>
              {kind} ({hint})
            </option>
          ))}
        </select>
      </label>
      <div class="form-row">
        {time("from", "From")}
        {time("to", "To (empty: it lasts)")}
      </div>
      <label class="field">
        <span>Of</span>
        <select value={draft.target} onChange={(event) => setDraft({ ...draft, target: event.currentTarget.value })}>
          <option value="">all that it measures</option>
          {targets.map(({ target }) => (
            <option key={target} value={target}>
              {titleOf(target)}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Text</span>
        <input
          maxLength={1000}
          value={draft.text}
          onInput={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
        />
      </label>
      <FormEnd problem={problem} isBusy={isBusy} onCancel={() => onDone(null)} />
    </form>
  );
}
