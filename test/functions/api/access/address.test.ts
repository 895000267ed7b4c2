import { Hono } from "hono";
import { expect, test } from "vitest";
import { addressOf } from "../../../../functions/api/access/address.ts";

const ask = async (env: object, headers: Record<string, string>, trustsProxy = false) => {
  const app = new Hono().get("/", (c) => c.text(addressOf(c, trustsProxy)));
  return (await app.request("/", { headers }, env)).text();
};
const socket = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
const forwarded = { "X-Forwarded-For": "6.6.6.6, 192.0.2.7", "X-Viewer-Address": "6.6.6.6" };

test("is the socket's, whatever a client says of itself", async () => {
  expect(await ask(socket("192.0.2.1"), forwarded)).toBe("192.0.2.1");
  expect(await ask(socket("::ffff:192.0.2.1"), {})).toBe("192.0.2.1");
  expect(await ask({}, forwarded)).toBe("unknown");
});

test("is what the proxy in front has added, where there is one", async () => {
  expect(await ask(socket("127.0.0.1"), forwarded, true)).toBe("192.0.2.7");
  expect(await ask(socket("127.0.0.1"), { "X-Forwarded-For": "<script>" }, true)).toBe("unknown");
  expect(await ask(socket("127.0.0.1"), {}, true)).toBe("127.0.0.1");
});

test("is the edge's word on AWS", async () => {
  const event = { event: { requestContext: { http: { sourceIp: "198.51.100.1" } } } };
  expect(await ask(event, { "X-Viewer-Address": "192.0.2.9" })).toBe("192.0.2.9");
  expect(await ask(event, {})).toBe("198.51.100.1");
});

test.each([
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1:2:3:4", "fe80:0:0:0::/64"],
])("counts %s as its network", async (address, network) => {
  expect(await ask(socket(address), {})).toBe(network);
});
