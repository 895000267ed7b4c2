import { addSeconds } from "../time.ts";
import type { RuleBody } from "./rule.ts";

/**
 * How a rule stands with a sensor. `blind`: what it looks at is missing or too old, which never reads ok. `muted`:
 * firing, in hours in which nobody is told.
 */
export const alertStates = ["ok", "pending", "firing", "blind", "muted"] as const;
export type AlertState = (typeof alertStates)[number];

/** What needs a person comes first. */
export const worstFirst: AlertState[] = ["firing", "blind", "pending", "muted", "ok"];

/** What one look came to: `keep` lies between the limit that makes it fire and the one that clears it. */
export type Verdict = "crossed" | "clear" | "keep" | "blind";

/** What is remembered of a rule and a sensor from cycle to cycle; null stands for ok. */
export type Standing = {
  state: "pending" | "firing" | "blind";
  /** The slot since which it is so. */
  since: Date;
  /** Cycles in a row that said so, while pending. */
  cycles: number;
  /** The slot in which it fired; kept while blind, so that nobody is told twice. */
  firedAt: Date | null;
  /** When somebody was told last; null while it is muted. */
  toldAt: Date | null;
};

/** What is worth telling or writing down. */
export type Change = "fired" | "told" | "repeated" | "cleared" | "blinded" | "saw";

export type Step = { standing: Standing | null; changes: Change[] };

/** A rule's patience: what lies between what is seen and what is said. */
export type Patience = Pick<RuleBody, "pendingCycles" | "repeatSeconds"> & {
  /** How long it must have been so. */
  forSeconds: number;
};

/**
 * The next standing, and what changed by it. Pure: serving and rehearsal take the same steps. `fired` comes once a
 * firing; `told` is when somebody is to be told of it, which waits for the end of a mute.
 */
export function advance(
  before: Standing | null,
  verdict: Verdict,
  slot: Date,
  patience: Patience,
  isMuted: boolean,
): Step {
  if (verdict === "blind") return goBlind(before, slot);
  const changes: Change[] = before?.state === "blind" ? ["saw"] : [];
  const seen = before?.state === "blind" ? afterBlind(before) : before;
  const step =
    seen?.state === "firing"
      ? keepFiring(seen, verdict, slot, patience, isMuted)
      : notFiring(seen, verdict, slot, patience, isMuted);
  return { standing: step.standing, changes: [...changes, ...step.changes] };
}

function goBlind(before: Standing | null, slot: Date): Step {
  if (before?.state === "blind") return { standing: before, changes: [] };
  const { firedAt = null, toldAt = null } = before?.state === "firing" ? before : {};
  return { standing: { state: "blind", since: slot, cycles: 0, firedAt, toldAt }, changes: ["blinded"] };
}

/** Who was firing when the sight went is firing still. */
function afterBlind({ firedAt, toldAt }: Standing): Standing | null {
  return firedAt === null ? null : { state: "firing", since: firedAt, cycles: 0, firedAt, toldAt };
}

function notFiring(
  before: Standing | null,
  verdict: Verdict,
  slot: Date,
  { pendingCycles, forSeconds }: Patience,
  isMuted: boolean,
): Step {
  if (verdict !== "crossed") return { standing: null, changes: [] };
  const since = before?.since ?? slot;
  const cycles = (before?.cycles ?? 0) + 1;
  if (cycles <= pendingCycles || slot < addSeconds(since, forSeconds)) {
    return { standing: { state: "pending", since, cycles, firedAt: null, toldAt: null }, changes: [] };
  }
  const standing: Standing = { state: "firing", since: slot, cycles: 0, firedAt: slot, toldAt: isMuted ? null : slot };
  return { standing, changes: isMuted ? ["fired"] : ["fired", "told"] };
}

function keepFiring(
  before: Standing,
  verdict: Verdict,
  slot: Date,
  { repeatSeconds }: Patience,
  isMuted: boolean,
): Step {
  if (verdict === "clear") return { standing: null, changes: ["cleared"] };
  if (isMuted) return { standing: before, changes: [] };
  if (before.toldAt === null) return { standing: { ...before, toldAt: slot }, changes: ["told"] };
  const isDue = repeatSeconds !== null && slot >= addSeconds(before.toldAt, repeatSeconds);
  return isDue ? { standing: { ...before, toldAt: slot }, changes: ["repeated"] } : { standing: before, changes: [] };
}

/** How it reads: a firing of which nobody is told is muted. */
export function stateOf(standing: Standing | null, isMuted: boolean): AlertState {
  if (standing === null) return "ok";
  return standing.state === "firing" && isMuted ? "muted" : standing.state;
}
