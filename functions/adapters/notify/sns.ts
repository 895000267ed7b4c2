import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import type { Sender } from "../../../core/alert/outbox.ts";
import { bodyOf, oneLine, titleOf } from "./text.ts";

const timeoutMs = 10_000;
/** SNS takes ASCII of up to 100 characters there. */
const mostSubject = 99;

/** A topic of SNS; `endpoint` is another one than AWS's, for stand-ins. */
export function snsSender({ endpoint = null }: { endpoint?: string | null } = {}): Sender {
  const client = new SNSClient(endpoint === null ? {} : { endpoint });
  return async ({ settings }, batch) => {
    if (settings.kind !== "sns") return { isOk: false, isFinal: true, detail: "the channel is none of SNS" };
    const command = new PublishCommand({
      TopicArn: settings.topicArn,
      Subject: oneLine(titleOf(batch))
        .replaceAll(/[^ -~]/g, "?")
        .slice(0, mostSubject),
      Message: bodyOf(batch),
      MessageAttributes: { idempotencyKey: { DataType: "String", StringValue: batch.key } },
    });
    const { MessageId } = await client.send(command, { abortSignal: AbortSignal.timeout(timeoutMs) });
    return { isOk: true, detail: `published as ${MessageId}` };
  };
}
