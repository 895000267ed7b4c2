import { type ProofAnswer, type ProofTask, proveHere } from "./proof-here.ts";

const answer = (message: ProofAnswer) => process.send?.(message, () => process.exit(0));

process.once("message", (task: ProofTask) => {
  proveHere(task).then(
    (verdict) => answer({ verdict }),
    (error: unknown) => answer({ fault: String(error) }),
  );
});
// Nobody waits for the answer any more.
process.once("disconnect", () => process.exit(0));
