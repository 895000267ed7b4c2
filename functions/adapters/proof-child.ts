import type { Verdict } from "../../core/model/verify.ts";
import { type ProofTask, proveHere } from "./proof-here.ts";

/** What the child answers, once, before it ends. */
export type ProofAnswer = { verdict: Verdict } | { fault: string };

const answer = (message: ProofAnswer) => process.send?.(message, () => process.exit(0));

process.once("message", (task: ProofTask) => {
  proveHere(task).then(
    (verdict) => answer({ verdict }),
    (error: unknown) => answer({ fault: String(error) }),
  );
});
// Nobody waits for the answer any more.
process.once("disconnect", () => process.exit(0));
