import { useLayoutEffect, useRef, useState } from "preact/hooks";

type Props = { label: string; question: string; confirm: string; onConfirm: () => void };

/** A button that asks before it does; the safe answer has the focus. */
export function ConfirmButton({ label, question, confirm, onConfirm }: Props) {
  const [isAsking, setAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const wasAsking = useRef(false);
  useLayoutEffect(() => {
    if (isAsking) keep.current?.focus();
    else if (wasAsking.current) first.current?.focus();
    wasAsking.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <button ref={first} type="button" class="button button-bad" onClick={() => setAsking(true)}>
        {label}
      </button>
    );
  }
  return (
    <fieldset
      class="confirm"
      onKeyDown={(event) => {
        if (event.key === "Escape") setAsking(false);
      }}
    >
      <legend>{question}</legend>
      <div class="buttons">
        <button ref={keep} type="button" class="button" onClick={() => setAsking(false)}>
          Keep it
        </button>
        <button type="button" class="button button-bad" onClick={onConfirm}>
          {confirm}
        </button>
      </div>
    </fieldset>
  );
}
