import { StatusStrip } from "../fleet/status-strip.tsx";
import { plural } from "../format.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";
import { Skeleton } from "../shell/states.tsx";
import { Audit } from "./audit.tsx";
import { Cycles } from "./cycles.tsx";
import { Database } from "./database.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import { Queues } from "./queues.tsx";
import { Storage } from "./storage.tsx";

/** How the system itself fares: at a glance, then queues, what failed for good, growth, backup, slots, who did what. */
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
      <StatusStrip />
      <Queues queue={ops.queue} />
      <DeadLetters letters={ops.deadLetters} present={presentOf(pulse) ?? Date.parse(ops.now)} />
      <Cycles cycles={ops.cycles} />
      <Database database={ops.database} storage={ops.storage} />
      <Storage storage={ops.storage} />
      <Audit />
    </div>
  );
}
