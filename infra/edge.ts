/// <reference path="../.sst/platform/config.d.ts" />
import { edgeSecretOf } from "../functions/lambda/edge.ts";
import { requestCode, responseCode } from "../functions/lambda/edge-code.ts";

/** What CloudFront does on the way in and out (see the code itself); a shared chart may stand in `embedOrigins`. */
export function edgeOf(apiKey: sst.Secret, embedOrigins: string[]) {
  const request = $output(apiKey.value).apply(edgeSecretOf).apply(requestCode);
  return { viewerRequest: { injection: request }, viewerResponse: { injection: responseCode(embedOrigins) } };
}
