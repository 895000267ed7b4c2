import { isIP } from "node:net";
import type { MiddlewareHandler } from "hono";
import { problemResponse } from "../api/problem.ts";

/** Where the server listens, and the other names that it may be called by: ALLOWED_HOSTS and that of PUBLIC_URL. */
export type HostRules = { host: string; names: string[] };

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const name = bare(host);
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/**
 * Answers 421 to a name that is not the server's own. A browser sends the name of the page's site: whoever points a
 * name of theirs at this address (DNS rebinding) would else read and change everything as if their page were ours. An
 * address can be nobody's name, so beyond loopback any address is taken.
 */
export function refuseOtherHosts({ host, names }: HostRules): MiddlewareHandler {
  const own = new Set([host, ...names].map(bare));
  const isOwn = (name: string) => isLoopback(name) || own.has(name) || (!isLoopback(host) && isIP(name) !== 0);
  return (c, next) => {
    const asked = hostnameOf(c.req.header("Host") ?? "");
    if (asked !== null && isOwn(asked)) return next();
    const detail = `this server is not called ${JSON.stringify(c.req.header("Host")?.slice(0, 100) ?? "")}; ALLOWED_HOSTS names what it answers to`;
    return Promise.resolve(problemResponse(c, 421, { code: "wrongHost", detail }));
  };
}

/** "[::1]:3000" -> "::1", "LOCALHOST.:80" -> "localhost"; null for what is no host. */
function hostnameOf(header: string): string | null {
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(header)) return null;
  return bare(header.replace(/:\d+$/, ""));
}

function bare(host: string): string {
  return host
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
}
