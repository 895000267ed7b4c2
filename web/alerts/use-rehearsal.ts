import { useEffect, useRef, useState } from "preact/hooks";
import { type Over, type Rehearsal, type RuleDraft, rehearse } from "../api/alerts.ts";
import type { Failure } from "../api/client.ts";

type State = { rehearsal: Rehearsal | null; failure: Failure | null; isBusy: boolean };

/** A rehearsal on demand; an answer that a later question has overtaken is dropped. */
export function useRehearsal() {
  const [state, setState] = useState<State>({ rehearsal: null, failure: null, isBusy: false });
  const asked = useRef(0);
  useEffect(() => () => void asked.current++, []);
  const run = async (rule: RuleDraft, over: Over) => {
    const mine = ++asked.current;
    setState((before) => ({ ...before, failure: null, isBusy: true }));
    const answer = await rehearse(rule, over);
    if (mine !== asked.current) return;
    setState((before) =>
      answer.ok
        ? { rehearsal: answer.data, failure: null, isBusy: false }
        : { ...before, failure: answer.failure, isBusy: false },
    );
  };
  return { ...state, run };
}
