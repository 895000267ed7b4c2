import type { Context } from "hono";

/** True when a browser says that the page which asks is this server's own. */
export function isSameOrigin(c: Context): boolean {
  const origin = c.req.header("Origin");
  if (c.req.header("Sec-Fetch-Site") === "same-origin") return true;
  return origin !== undefined && URL.parse(origin)?.host === c.req.header("Host");
}
