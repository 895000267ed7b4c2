/// <reference path="../.sst/platform/config.d.ts" />
import { edgeHeader, edgeSecretOf } from "../functions/lambda/edge.ts";
import { pageHeaders } from "../functions/machine/page-headers.ts";

/**
 * What CloudFront adds: to requests the edge's secret, without which the function answers nobody, and the viewer's
 * address; to the dashboard's pages the headers that the local server sends. Answers of the API keep their own.
 */
export function edgeOf(apiKey: sst.Secret) {
  const request = $output(apiKey.value)
    .apply(edgeSecretOf)
    .apply((secret) =>
      [
        `event.request.headers["${edgeHeader}"] = { value: "${secret}" };`,
        `event.request.headers["x-viewer-address"] = { value: event.viewer.ip };`,
      ].join("\n"),
    );
  const response = [
    `if (!event.response.headers["content-security-policy"]) {`,
    ...Object.entries(pageHeaders).map(
      ([name, value]) => `  event.response.headers["${name}"] = { value: ${JSON.stringify(value)} };`,
    ),
    "}",
  ].join("\n");
  return { viewerRequest: { injection: request }, viewerResponse: { injection: response } };
}
