import type { SQSEvent } from "aws-lambda";
import { NotifyMessage } from "../core/messages.ts";
import { once } from "../core/once.ts";
import { type NotifyPorts, notify } from "../core/operations/notify.ts";
import { handleBatch } from "./lambda/batch.ts";
import { givingUp } from "./lambda/give-up.ts";
import { openNotifyRuntime } from "./runtime.ts";

export function createNotifyHandler(ports: NotifyPorts) {
  return (event: SQSEvent) => handleBatch(event, NotifyMessage, ports.log, (message) => notify(ports, message));
}

const start = once(async () => {
  const { ports, deadLetters } = await openNotifyRuntime();
  return givingUp("notify", createNotifyHandler(ports), ports.log, deadLetters);
});

export const handler = async (event: SQSEvent) => (await start())(event);
