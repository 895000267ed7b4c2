import { plural } from "../format.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";
import { Skeleton } from "../shell/states.tsx";
import { Cycles } from "./cycles.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import { Storage } from "./storage.tsx";

/** How the system itself fares: what failed at every delivery and why, and how the latest slots ended. */
export function OperationsPage() {
  const pulse = usePulse();
  const { ops, failure } = pulse;
  // A failure without an earlier answer is told above the page.
  if (ops === null) return failure === null ? <Skeleton height={320} label="Loading the state of the system" /> : null;
  return (
    <div class="page">
      <div class="title">
        <h1>Operations</h1>
        <span class="muted">
          {plural(ops.sensors, "sensor")}, version {ops.codeVersion}
        </span>
      </div>
      <DeadLetters letters={ops.deadLetters} present={presentOf(pulse) ?? Date.parse(ops.now)} />
      <Storage storage={ops.storage} />
      <Cycles cycles={ops.cycles} />
    </div>
  );
}
