import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useAccess } from "../access/session.ts";
import type { Answer } from "../api/client.ts";
import { Notice } from "../shell/states.tsx";

type Props = {
  /** What the button says, and what it is done to, for who hears it alone. */
  label: string;
  object: string;
  /** The scope that it wants. */
  scope: "promote" | "train";
  /** Null: no reason is asked for. */
  consequence: string | null;
  act: (reason: string) => Promise<Answer<unknown>>;
  /** What to say when it is done. */
  done: string;
  onDone: () => void;
};

/** Something that changes what serves: asked for twice, with the reason that is stored with it. */
export function Act({ label, object, scope, consequence, act, done, onDone }: Props) {
  const { session } = useAccess();
  const [state, setState] = useState<{ is: "closed" | "open" | "busy" | "done"; problem: string | null }>({
    is: "closed",
    problem: null,
  });
  const [reason, setReason] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const hint = useId();
  const isOpen = state.is === "open" || state.is === "busy";
  const wasOpen = useRef(false);
  // Before the next key: who types fast loses none of it.
  useLayoutEffect(() => {
    if (isOpen) field.current?.focus();
    else if (wasOpen.current) opener.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  const held = session?.actor.scopes ?? [];
  const isAllowed = session === null || held.includes(scope) || held.includes("admin");

  const carryOut = async () => {
    setState({ is: "busy", problem: null });
    const answer = await act(reason.trim());
    if (!answer.ok) {
      const problem = `${answer.failure.title}: ${answer.failure.detail}`;
      return setState({ is: consequence === null ? "closed" : "open", problem });
    }
    setState({ is: "done", problem: null });
    setReason("");
    onDone();
  };
  const close = () => setState({ is: "closed", problem: null });

  if (!isAllowed) {
    return (
      <button type="button" class="button" disabled title={`This wants the scope ${scope}`}>
        {label}
      </button>
    );
  }
  return (
    <div class="act">
      {isOpen && consequence !== null ? (
        <form
          class="form"
          aria-label={`${label} ${object}`}
          aria-busy={state.is === "busy"}
          onSubmit={(event) => {
            event.preventDefault();
            if (reason.trim() !== "") void carryOut();
          }}
          onKeyDown={(event) => event.key === "Escape" && close()}
        >
          <p id={hint}>{consequence}</p>
          <label class="field">
            <span>Reason</span>
            <input
              ref={field}
              required
              maxLength={500}
              aria-describedby={hint}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <div class="buttons">
            <button type="submit" class="button button-main" disabled={state.is === "busy"}>
              {label}
            </button>
            <button type="button" class="button" onClick={close}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        <button
          ref={opener}
          type="button"
          class="button"
          aria-label={`${label} ${object}`}
          disabled={state.is === "busy"}
          onClick={() => (consequence === null ? void carryOut() : setState({ is: "open", problem: null }))}
        >
          {label}
        </button>
      )}
      <div role="status">
        {state.is === "done" && <span class="muted">{done}</span>}
        {state.problem !== null && <Notice tone="bad">{state.problem}</Notice>}
      </div>
    </div>
  );
}
