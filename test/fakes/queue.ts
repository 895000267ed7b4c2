import type { QueueMessage, QueueName } from "../../core/messages.ts";
import type { Queue } from "../../core/ports.ts";

/** A queue that keeps what was sent; a key sent twice is kept once. */
export function memoryQueue(): Queue & { sent: { queue: QueueName; message: QueueMessage }[] } {
  const sent: { queue: QueueName; message: QueueMessage }[] = [];
  return {
    sent,
    async send(queue, messages) {
      for (const message of messages) {
        if (!sent.some((one) => one.queue === queue && one.message.key === message.key)) sent.push({ queue, message });
      }
    },
  };
}
