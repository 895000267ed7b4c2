import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer, Failure } from "../api/client.ts";
import { usePulse } from "./pulse.ts";
import { backoffMs, restMs } from "./rhythm.ts";

/** Something loaded that is kept fresh. Old data stays while new loads or fails to. */
export type Live<T> = {
  data: T | null;
  failure: Failure | null;
  /** The data belongs to what was asked before. */
  isOutdated: boolean;
  isLoading: boolean;
  retry: () => void;
};

/**
 * Loads when `key` changes, again at every beat of the server, and again (backing off) after a failure.
 * `load` gets the newest closure; `onPart` may be called with what has come so far.
 */
export function useLive<T>(
  key: string,
  load: (signal: AbortSignal, onPart: (part: T) => void) => Promise<Answer<T>>,
): Live<T> {
  const pulse = usePulse();
  const [state, setState] = useState<{ key: string; data: T | null; failure: Failure | null; isLoading: boolean }>({
    key,
    data: null,
    failure: null,
    isLoading: true,
  });
  const [asked, setAsked] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  const run = useRef({ key: "", endedAtMs: 0, tookMs: 0, failures: 0, isBusy: false });
  const inFlight = useRef<AbortController | null>(null);
  const beat = useRef(pulse.beat);
  beat.current = pulse.beat;

  useEffect(() => {
    const past = run.current;
    const isNew = past.key !== key;
    if (isNew) {
      inFlight.current?.abort();
      Object.assign(past, { key, failures: 0, isBusy: false, endedAtMs: 0 });
    }
    if (past.isBusy || (pulse.isPaused && !isNew && asked === 0)) return;
    const start = async () => {
      const stop = new AbortController();
      inFlight.current = stop;
      past.isBusy = true;
      setState((before) => ({ ...before, isLoading: true }));
      const startedAtMs = performance.now();
      const startedAtBeat = beat.current;
      const onPart = (part: T) => {
        if (!stop.signal.aborted) setState((before) => (before.data ? before : { ...before, key, data: part }));
      };
      const answer = await latest.current(stop.signal, onPart).catch(() => null);
      if (answer === null || stop.signal.aborted) return;
      Object.assign(past, { isBusy: false, endedAtMs: performance.now(), tookMs: performance.now() - startedAtMs });
      past.failures = answer.ok ? 0 : past.failures + 1;
      setState((before) =>
        answer.ok
          ? { key, data: answer.data, failure: null, isLoading: false }
          : { ...before, failure: answer.failure, isLoading: false },
      );
      if (!answer.ok && answer.failure.kind !== "notFound") {
        timer = setTimeout(() => setAsked((count) => count + 1), backoffMs(past.failures));
      } else if (beat.current !== startedAtBeat) {
        setAsked((count) => count + 1);
      }
    };
    const waitMs = past.endedAtMs === 0 ? 0 : past.endedAtMs + restMs(past.tookMs) - performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (waitMs <= 0) void start();
    else timer = setTimeout(() => void start(), waitMs);
    return () => clearTimeout(timer);
  }, [key, pulse.beat, pulse.isPaused, asked]);

  useEffect(() => () => inFlight.current?.abort(), []);
  return {
    data: state.data,
    failure: state.failure,
    isOutdated: state.key !== key && state.data !== null,
    isLoading: state.isLoading || state.key !== key,
    retry: () => setAsked((count) => count + 1),
  };
}
