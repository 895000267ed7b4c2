import { describe, expect, it } from "vitest";
import { requestCode, responseCode } from "../../../functions/lambda/edge-code.ts";

type Headers = Record<string, { value: string }>;
type Event = { request: { uri: string; headers: Headers }; response: { headers: Headers }; viewer: { ip: string } };

/** A page on its way through the edge; in between the router turns its path into the bucket's. */
function visit(uri: string, origins: string[], headers: { sent?: Headers; got?: Headers } = {}) {
  const { sent = {}, got = {} } = headers;
  const event: Event = {
    request: { uri, headers: { ...sent } },
    response: { headers: got },
    viewer: { ip: "192.0.2.7" },
  };
  const run = (code: string) => new Function("event", code)(event);
  run(requestCode("secret"));
  event.request.uri = "/index.html";
  run(responseCode(origins));
  const policy = event.response.headers["content-security-policy"]?.value ?? "";
  const framing = [/frame-ancestors [^;]*/.exec(policy)?.[0], event.response.headers["x-frame-options"]?.value];
  return { framing, event };
}

const sites = ["https://intranet.example.com", "https://wiki.example.com"];
const nobody = ["frame-ancestors 'none'", "DENY"];

describe("the edge", () => {
  it("lets a shared chart stand in a frame of the named sites, and no other page in anybody's", () => {
    expect(visit("/embed", sites).framing).toEqual([`frame-ancestors ${sites.join(" ")}`, undefined]);
    for (const uri of ["/", "/sensors/7", "/embed/x", "/EMBED"]) expect(visit(uri, sites).framing).toEqual(nobody);
    expect(visit("/embed", []).framing).toEqual(nobody);
  });

  it("takes no viewer's word for it, nor for who asks", () => {
    const sent = { "x-page-framed": { value: "1" }, "x-viewer-address": { value: "10.0.0.1" } };
    const { framing, event } = visit("/", sites, { sent });
    expect(framing).toEqual(nobody);
    expect(event.request.headers["x-viewer-address"]).toEqual({ value: "192.0.2.7" });
    expect(event.request.headers["x-edge-secret"]).toEqual({ value: "secret" });
  });

  it("leaves the API's own headers alone", () => {
    const got = { "content-security-policy": { value: "default-src 'none'" } };
    expect(visit("/embed", sites, { got }).event.response.headers).toEqual(got);
  });
});
