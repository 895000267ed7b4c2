import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import type { Failure } from "../api/client.ts";
import { getOps } from "../api/requests.ts";
import { backoffMs, pulseMs } from "./rhythm.ts";

/** The page's heartbeat: GET /v1/ops over and over; its `now` is the only present that the dashboard knows. */
export type Pulse = {
  ops: OpsResponse | null;
  failure: Failure | null;
  /** performance.now() when `ops` came; 0 before. */
  receivedAtMs: number;
  /** performance.now() of the next try after a failure. */
  nextTryAtMs: number;
  /** Changes whenever the server has something new to show. */
  beat: string;
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
  /** Asks again at once. */
  refresh: () => void;
};

export const PulseContext = createContext<Pulse | null>(null);

export function usePulse(): Pulse {
  const pulse = useContext(PulseContext);
  if (pulse === null) throw new Error("no pulse");
  return pulse;
}

/** The server's present in epoch milliseconds, carried on at its clock's speed; null before the first answer. */
export function presentOf(pulse: Pulse): number | null {
  if (pulse.ops === null) return null;
  return Date.parse(pulse.ops.now) + (performance.now() - pulse.receivedAtMs) * pulse.ops.clockSpeed;
}

/** Renders again every `everyMs`, for ages that grow; another number each time. */
export function useTick(everyMs: number): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setCount((count) => count + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return count;
}

/** Not each reading is a beat: what is shown changes with what was decided, and with what should have been. */
function beatOf({ cycles: [cycle], now, stepSeconds, sensors }: OpsResponse): string {
  const decided = cycle ? cycle.issued + cycle.baseline + cycle.refused + cycle.expired : 0;
  const missed = cycle ? Math.floor((Date.parse(now) - Date.parse(cycle.slot)) / 1000 / stepSeconds) : 0;
  return `${cycle?.slot}|${decided}|${missed}|${sensors}`;
}

/** Runs the heartbeat; to be called once, at the top. */
export function usePulseSource(): Pulse {
  const [state, setState] = useState<Omit<Pulse, "isPaused" | "setPaused" | "refresh">>({
    ops: null,
    failure: null,
    receivedAtMs: 0,
    nextTryAtMs: 0,
    beat: "",
  });
  const [isPaused, setPaused] = useState(false);
  const [asked, setAsked] = useState(0);
  const failures = useRef(0);

  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const isResting = () => document.hidden || (isPaused && failures.current === 0 && asked === 0);
    const ask = async () => {
      clearTimeout(timer);
      const answer = await getOps(stop.signal).catch(() => null);
      if (answer === null || stop.signal.aborted) return;
      let waitMs: number;
      if (answer.ok) {
        failures.current = 0;
        waitMs = pulseMs(answer.data);
        const ops = answer.data;
        setState({ ops, failure: null, receivedAtMs: performance.now(), nextTryAtMs: 0, beat: beatOf(ops) });
      } else {
        failures.current++;
        waitMs = backoffMs(failures.current);
        const failure = answer.failure;
        setState((before) => ({ ...before, failure, nextTryAtMs: performance.now() + waitMs }));
      }
      if (!isPaused) timer = setTimeout(() => void (isResting() || ask()), waitMs);
    };
    const wake = () => {
      if (!document.hidden && !isPaused) void ask();
    };
    document.addEventListener("visibilitychange", wake);
    if (!isPaused || failures.current > 0 || asked > 0) void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", wake);
    };
  }, [isPaused, asked]);

  return { ...state, isPaused, setPaused, refresh: () => setAsked((count) => count + 1) };
}
