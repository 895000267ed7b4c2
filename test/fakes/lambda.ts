import type { SQSEvent } from "aws-lambda";

/**
 * The event that Lambda is given for a batch of SQS messages; a string is taken as the raw body. Ids are message-0, ...
 */
export function sqsEvent(bodies: unknown[]): SQSEvent {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `message-${index}`,
      receiptHandle: `receipt-${index}`,
      body: typeof body === "string" ? body : JSON.stringify(body),
      attributes: {
        ApproximateReceiveCount: "1",
        SentTimestamp: "1772366400000",
        SenderId: "AIDAEXAMPLE",
        ApproximateFirstReceiveTimestamp: "1772366400001",
      },
      messageAttributes: {},
      md5OfBody: "",
      eventSource: "aws:sqs",
      eventSourceARN: "arn:aws:sqs:eu-central-1:123456789012:queue",
      awsRegion: "eu-central-1",
    })),
  };
}
