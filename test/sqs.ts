import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

export type SqsEntry = { Id: string; MessageBody: string };
export type SqsAnswer = { Successful: object[]; Failed: object[] };

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** A stand-in for SQS's JSON protocol; `answer` decides each batch's fate. `urlOf` gives a queue's URL. */
export async function startSqs(
  answer: (entries: SqsEntry[], call: number) => SqsAnswer | "drop" = (entries) => accepted(entries),
) {
  const batches: SqsEntry[][] = [];
  const bodies = new Map<string, unknown[]>();
  const server = createServer(async (request, response) => {
    const { Entries, QueueUrl } = (await json(request)) as { Entries: SqsEntry[]; QueueUrl: string };
    batches.push(Entries);
    const result = answer(Entries, batches.length);
    if (result === "drop") return void request.socket.destroy();
    const stored = bodies.get(QueueUrl) ?? [];
    bodies.set(QueueUrl, [...stored, ...Entries.map(({ MessageBody }) => JSON.parse(MessageBody))]);
    response.setHeader("content-type", "application/x-amz-json-1.0").end(JSON.stringify(result));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const urlOf = (queue: string) => `${endpoint}/1/${queue}`;
  return {
    batches,
    bodiesOf: (queue: string) => bodies.get(urlOf(queue)) ?? [],
    endpoint,
    urlOf,
    close: () => server.close(),
  };
}

export const accepted = (entries: SqsEntry[]): SqsAnswer => ({
  Successful: entries.map(({ Id, MessageBody }) => ({ Id, MessageId: Id, MD5OfMessageBody: md5(MessageBody) })),
  Failed: [],
});

export const refused = (entries: SqsEntry[]): SqsAnswer => ({
  Successful: [],
  Failed: entries.map(({ Id }) => ({ Id, Code: "InternalError", SenderFault: false })),
});
