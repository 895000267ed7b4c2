import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import type { SensorTarget } from "../../functions/api/contract/sensors.ts";
import { changeAnnotation, makeAnnotation, removeAnnotation, restoreAnnotation } from "../api/annotations.ts";
import type { Annotation } from "../client/client.ts";
import { plural } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { usePulse } from "../shell/pulse.ts";
import { Notice } from "../shell/states.tsx";
import { annotationText, changeOf, type Draft, draftOf, draftOfSpan, requestOf } from "./annotation-draft.ts";
import { AnnotationForm } from "./annotation-form.tsx";
import type { Span } from "./view.ts";

/** What is being written: a new one of a stretch, or a change of one there is. */
export type Writing = { span: Span } | { annotation: Annotation };

type Props = {
  sensorId: string;
  targets: SensorTarget[];
  annotations: Annotation[];
  stepMs: number;
  /** The stretch that a new one begins with, where none was marked. */
  usual: Span;
  writing: Writing | null;
  onWrite: (writing: Writing | null) => void;
  /** Something was stored: the page shows it, and the figures without what it leaves out. */
  onChanged: () => void;
};

/** What people said of stretches of the sensor's time: marked, edited, taken back and brought back. */
export function Annotations(props: Props) {
  const { sensorId, targets, annotations, stepMs, usual, writing, onWrite, onChanged } = props;
  const { zone } = usePreferences();
  const { ops } = usePulse();
  const [removed, setRemoved] = useState<Annotation | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const undo = useRef<HTMLButtonElement>(null);
  const add = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (removed !== null) undo.current?.focus();
  }, [removed]);

  const done = (made: Annotation | null) => {
    onWrite(null);
    if (made !== null) onChanged();
    queueMicrotask(() => add.current?.focus());
  };
  const act = async (annotation: Annotation, isRemoving: boolean) => {
    const answer = await (isRemoving ? removeAnnotation : restoreAnnotation)(annotation.annotationId);
    setProblem(answer.ok ? null : `${answer.failure.title}: ${answer.failure.detail}`);
    if (!answer.ok) return;
    setRemoved(isRemoving ? annotation : null);
    if (!isRemoving) queueMicrotask(() => add.current?.focus());
    onChanged();
  };
  return (
    <section class="section" aria-labelledby="annotations">
      <h2 id="annotations">Annotations</h2>
      <div class="panel">
        <p class="muted">
          Mark what was not as usual: an outage, a move, a calibration or an open window is left out of what is learnt
          and judged, from the next pass on. An event is a note. {reach(ops)}
        </p>
        {writing !== null ? (
          <Writer {...{ sensorId, targets, stepMs, zone, writing }} onDone={done} />
        ) : (
          <div class="buttons">
            <button ref={add} type="button" class="button" onClick={() => onWrite({ span: usual })}>
              Add an annotation
            </button>
          </div>
        )}
        <div role="status">
          {removed !== null && (
            <Notice tone="info">
              Taken back: {annotationText(removed, zone)}.{" "}
              <button ref={undo} type="button" class="link" onClick={() => void act(removed, false)}>
                Undo
              </button>
            </Notice>
          )}
        </div>
        <div role="alert">{problem !== null && <Notice tone="bad">{problem}</Notice>}</div>
        <ul class="annotations">
          {annotations.map((one) => (
            <li key={one.annotationId}>
              <span>
                {annotationText(one, zone)} <span class="muted">by {one.changedBy}</span>
              </span>
              <span class="buttons">
                <button
                  type="button"
                  class="link"
                  aria-label={`Edit ${annotationText(one, zone)}`}
                  onClick={() => onWrite({ annotation: one })}
                >
                  Edit
                </button>
                <button
                  type="button"
                  class="link"
                  aria-label={`Take back ${annotationText(one, zone)}`}
                  onClick={() => void act(one, true)}
                >
                  Take back
                </button>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

/** How far back weights and widths are learnt anew: as long as what the experts said is kept. */
function reach(ops: OpsResponse | null): string {
  const kept = ops?.storage.tables.find(({ table }) => table === "issued_mix")?.keptDays;
  const days = kept === undefined ? "what the experts said is kept" : `${plural(kept, "day")} go`;
  return `What the mix has learnt is learnt anew as far back as ${days}; older lessons fade by half in five days.`;
}

function Writer(
  props: Pick<Props, "sensorId" | "targets" | "stepMs"> & {
    zone: "utc" | "local";
    writing: Writing;
    onDone: (made: Annotation | null) => void;
  },
) {
  const { sensorId, targets, stepMs, zone, writing, onDone } = props;
  const made = useRef<{ writing: Writing; draft: Draft } | null>(null);
  if (made.current?.writing !== writing) {
    const isNew = "span" in writing;
    made.current = {
      writing,
      draft: isNew ? draftOfSpan(writing.span, stepMs, zone) : draftOf(writing.annotation, zone),
    };
  }
  const initial = made.current.draft;
  return (
    <AnnotationForm
      label={"span" in writing ? "A new annotation" : "Edit an annotation"}
      {...{ initial, targets, zone, onDone }}
      onSave={async (draft) => {
        if ("span" in writing) {
          const request = requestOf(sensorId, draft, zone);
          return request.ok ? makeAnnotation(request.body) : request.problem;
        }
        const change = changeOf(initial, draft, zone);
        return change.ok ? changeAnnotation(writing.annotation.annotationId, change.body) : change.problem;
      }}
    />
  );
}
