import { framedPath, framedPolicy, pageHeaders, policyText } from "../machine/page-headers.ts";
import { edgeHeader } from "./edge.ts";

/** Set at the edge itself: a page that may stand in a frame, whatever its path becomes on the way to the bucket. */
const framedHeader = "x-page-framed";

/**
 * What the edge does to a viewer's request, in CloudFront's JavaScript: the edge's secret, without which the function
 * answers nobody, and the viewer's address. Nothing of it is what the viewer says.
 */
export function requestCode(secret: string): string {
  return [
    `event.request.headers["${edgeHeader}"] = { value: "${secret}" };`,
    `event.request.headers["x-viewer-address"] = { value: event.viewer.ip };`,
    `delete event.request.headers["${framedHeader}"];`,
    `if (event.request.uri === "${framedPath}") event.request.headers["${framedHeader}"] = { value: "1" };`,
  ].join("\n");
}

/**
 * What it does to a response: the dashboard's pages get the headers that the local server sends, a shared chart those
 * that let it stand in frames of `embedOrigins`. Answers of the API keep their own.
 */
export function responseCode(embedOrigins: string[]): string {
  const setting = ([name, value]: [string, string]) =>
    `  event.response.headers["${name}"] = { value: ${JSON.stringify(value)} };`;
  const framed = [
    `  if (event.request.uri === "${framedPath}" || event.request.headers["${framedHeader}"]) {`,
    `  ${setting(["content-security-policy", policyText(framedPolicy(embedOrigins))])}`,
    `    delete event.response.headers["x-frame-options"];`,
    "  }",
  ];
  return [
    `if (!event.response.headers["content-security-policy"]) {`,
    ...Object.entries(pageHeaders).map(setting),
    ...(embedOrigins.length === 0 ? [] : framed),
    "}",
  ].join("\n");
}
