import type { LambdaEvent } from "hono/aws-lambda";

/** Sent along by CloudFront, which lets no viewer send it. */
export const edgeHeader = "x-edge-secret";

/**
 * What only the edge and the function know, made from the API key so that there is nothing more to set. Not the
 * signature of an origin access control: that takes the Authorization header, which is our clients'.
 */
export async function edgeSecretOf(apiKey: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`edge ${apiKey}`));
  return Buffer.from(digest).toString("hex");
}

/** Refuses what did not come through the edge: who calls the function's own URL goes round its limits and its logs. */
export async function refuseUnlessFromEdge(event: LambdaEvent, apiKey: string) {
  const given = event.headers?.[edgeHeader];
  if (given !== undefined && given === (await edgeSecretOf(apiKey))) return null;
  const detail = "this address answers through CloudFront only";
  const body = JSON.stringify({ type: "about:blank", title: "Forbidden", status: 403, detail, code: "forbidden" });
  return { statusCode: 403, headers: { "content-type": "application/problem+json" }, body, isBase64Encoded: false };
}
