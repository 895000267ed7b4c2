import type { Context } from "hono";

type Environment = {
  /** Of @hono/node-server. */
  incoming?: { socket?: { remoteAddress?: string } };
  /** Of a function URL. */
  event?: { requestContext?: { http?: { sourceIp?: string } } };
};

/** Set by the edge, which overwrites what a client sends under this name. */
const edgeHeader = "X-Viewer-Address";

/**
 * The client's address: the socket's, or what the proxy in front says of it. IPv6 counts by its /64, which is what one
 * client has. "unknown" where there is no socket.
 */
export function addressOf(c: Context, trustsProxy: boolean): string {
  const { incoming, event } = (c.env ?? {}) as Environment;
  if (event !== undefined) return wide(c.req.header(edgeHeader) ?? event.requestContext?.http?.sourceIp);
  const forwarded = trustsProxy ? c.req.header("X-Forwarded-For")?.split(",").at(-1)?.trim() : undefined;
  return wide(forwarded || incoming?.socket?.remoteAddress);
}

function wide(address: string | undefined): string {
  const bare = address?.replace(/^::ffff:(?=\d+\.)/, "").slice(0, 45);
  if (bare === undefined || !/^[0-9a-f:.]+$/i.test(bare)) return "unknown";
  if (!bare.includes(":")) return bare;
  const [head = "", tail] = bare.split("::");
  const groups = head.split(":").filter(Boolean);
  const last = tail?.split(":").filter(Boolean) ?? [];
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - last.length) }, () => "0");
  return `${[...groups, ...zeros, ...last].slice(0, 4).join(":")}::/64`;
}
