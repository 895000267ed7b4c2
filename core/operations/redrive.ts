import { commandOf, entryBy, noteDone } from "../access/audit.ts";
import type { AuditLog } from "../access/ports.ts";
import type { QueueName } from "../messages.ts";
import type { Clock, DeadLetters, Log } from "../ports.ts";

export type RedrivePorts = {
  clock: Pick<Clock, "now">;
  log: Log;
  deadLetters: Pick<DeadLetters, "redrive">;
  audit: Pick<AuditLog, "record">;
};

/**
 * Sends dead letters back to the queues where they failed: all of them, or those of these ids. Gives the number per
 * queue; each queue from which any went has an entry in the audit, also where a later queue fails.
 */
export async function redrive(
  ports: RedrivePorts,
  user: string,
  { queues, ids }: { queues: readonly QueueName[]; ids?: string[] },
): Promise<Map<QueueName, number>> {
  const moved = new Map<QueueName, number>();
  for (const queue of queues) {
    const count = await ports.deadLetters.redrive(queue, ids);
    moved.set(queue, count);
    if (count === 0) continue;
    const act = { at: ports.clock.now(), action: "queue.redrive", object: `queues/${queue}`, result: `ok: ${count}` };
    await noteDone(ports, entryBy(commandOf(user), act));
  }
  return moved;
}
