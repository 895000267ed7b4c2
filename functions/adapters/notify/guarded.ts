import type { LookupAddress } from "node:dns";
import { lookup as resolve } from "node:dns/promises";
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** Private hosts that may be reached all the same: names, addresses, networks such as 10.0.0.0/8. */
export type PrivateHosts = readonly string[];

/** What came back, or why nothing did. */
export type Answer = { status: number; body: string; retryAfter: string | null } | { refused: string };

const timeoutMs = 10_000;
const mostBytes = 4_096;

/**
 * Posts to a host of the open internet: an address that is private, link-local, loopback or otherwise not for everybody
 * is refused unless it is allowed by hand. The name is resolved once, and what was checked is what is connected to.
 * Redirects are not followed. Throws where the host cannot be reached.
 */
export async function guardedPost(
  url: string,
  headers: Record<string, string>,
  body: string,
  allowed: PrivateHosts,
): Promise<Answer> {
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const first = await openAddress(host, allowed);
  if ("refused" in first) return first;
  const pinned: LookupFunction = (_name, options, done) =>
    options.all ? done(null, [first]) : done(null, first.address, first.family);
  const send = protocol === "https:" ? secure : plain;
  return new Promise((fulfil, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const length = { "Content-Length": String(Buffer.byteLength(body)) };
    const options = {
      method: "POST",
      headers: { ...headers, ...length },
      lookup: pinned,
      signal,
      agent: false as const,
    };
    const sent = send(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      const end = () =>
        fulfil({ status: response.statusCode ?? 0, body: text, retryAfter: response.headers["retry-after"] ?? null });
      response.on("data", (part: string) => {
        text += part;
        if (text.length < mostBytes) return;
        text = text.slice(0, mostBytes);
        end();
        response.destroy();
      });
      response.on("end", end);
      response.on("error", reject);
    });
    sent.on("error", (error) => reject(signal.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error));
    sent.end(body);
  });
}

/** Where a host is; a refusal where any of its addresses is private and not allowed. Throws where it has none. */
export async function openAddress(host: string, allowed: PrivateHosts): Promise<LookupAddress | { refused: string }> {
  const found = await addressesOf(host);
  const refused = found.find(({ address }) => !mayReach(host, address, allowed));
  if (refused !== undefined)
    return { refused: `${host} is at ${refused.address}, which is private: ALERT_PRIVATE_HOSTS allows it` };
  const first = found[0];
  if (first === undefined) throw new Error(`${host} has no address`);
  return first;
}

async function addressesOf(host: string): Promise<LookupAddress[]> {
  if (ipaddr.isValid(host)) return [{ address: host, family: ipaddr.parse(host).kind() === "ipv6" ? 6 : 4 }];
  return resolve(host, { all: true });
}

/** Whether this address may be connected to under this name. */
export function mayReach(host: string, address: string, allowed: PrivateHosts): boolean {
  const parsed = ipaddr.process(address);
  if (embedded(parsed).every((one) => one.range() === "unicast")) return true;
  return allowed.some((entry) => {
    if (entry.toLowerCase() === host.toLowerCase()) return true;
    if (ipaddr.isValid(entry)) return ipaddr.process(entry).toString() === parsed.toString();
    if (!ipaddr.isValidCIDR(entry)) return false;
    const [network, bits] = ipaddr.parseCIDR(entry);
    return network.kind() === parsed.kind() && parsed.match(network, bits);
  });
}

/** An IPv6 address that carries an IPv4 one (NAT64, 6to4) leads to that. */
function embedded(parsed: ipaddr.IPv4 | ipaddr.IPv6): (ipaddr.IPv4 | ipaddr.IPv6)[] {
  if (parsed.kind() === "ipv4") return [parsed];
  const bytes = parsed.toByteArray();
  const range = parsed.range();
  if (range === "rfc6052") return [new ipaddr.IPv4(bytes.slice(12))];
  if (range === "6to4") return [new ipaddr.IPv4(bytes.slice(2, 6))];
  return [parsed];
}
