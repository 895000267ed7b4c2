import { existsSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { secureHeaders } from "hono/secure-headers";
import { AppError } from "../../core/errors.ts";
import { isApiPath } from "../api/app.ts";
import { permissionsPolicy } from "../api/headers.ts";
import { type HostRules, refuseOtherHosts } from "./hosts.ts";
import { framedPath, framedPolicy, pagePolicy } from "./page-headers.ts";
import { answerUnreadable } from "./unreadable.ts";

/** The listening server. `close` lets running requests finish, for 5 s at most. */
export type HttpServer = { url: string; close(): Promise<void> };

/** `env` has the socket, and with it the address of the client. */
type Fetch = (request: Request, env?: object) => Response | Promise<Response>;

const patienceMs = 5_000;
/**
 * Nobody needs longer to send a request's headers, or all of it; the API's own deadlines for bodies are shorter still.
 */
const serverOptions = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 1_000 };
/** Sockets at a time: each costs memory whatever it sends. */
const mostSockets = 1_024;

/**
 * The API and the dashboard in one app: the dashboard's files from `webFolder`, its index page for its own paths, and
 * the API's problem for all others. Only for the hosts that `rules` name. A shared chart may stand in a frame of the
 * sites `embedOrigins`, and nothing else in anybody's.
 */
export function createSite(api: Fetch, webFolder: string, rules: HostRules, embedOrigins: string[] = []) {
  const site = new Hono<{ Bindings: object }>();
  site.use(refuseOtherHosts(rules));
  const index = serveStatic({ root: webFolder, path: "index.html" });
  site.use(async (c, next) => (isApiPath(c.req.path) ? api(c.req.raw, c.env) : next()));
  site.use(compress());
  const safe = { permissionsPolicy, strictTransportSecurity: false };
  const plain = secureHeaders({ ...safe, contentSecurityPolicy: pagePolicy });
  const framed = secureHeaders({ ...safe, contentSecurityPolicy: framedPolicy(embedOrigins), xFrameOptions: false });
  site.use((c, next) => (c.req.path === framedPath && embedOrigins.length > 0 ? framed : plain)(c, next));
  site.use(async (c, next) => {
    await next();
    // Built files carry their hash in the name; the page that names them must always be asked for.
    const isHashed = c.req.path.startsWith("/assets/") && c.res.ok;
    c.res.headers.set("Cache-Control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  });
  site.use(serveStatic({ root: webFolder }));
  site.get("*", async (c, next) => (isPage(c.req.path) ? index(c, next) : next()));
  site.notFound((c) => {
    const isMissing = isPage(c.req.path) && !existsSync(join(webFolder, "index.html"));
    return isMissing ? c.text(notBuilt, 404) : api(c.req.raw, c.env);
  });
  return site;
}

const notBuilt = "the dashboard is not built: npm run build:web\n";

/** The dashboard's own paths; it draws them itself. */
function isPage(path: string): boolean {
  return /^\/(index\.html|(sensors|models)(\/[^/]+)?\/?|alerts(\/.*)?|embed|compare|operations\/?|sign-in\/?)?$/.test(
    path,
  );
}

/** Listens, and resolves once connections are taken. Throws misconfigured when the address is not to be had. */
export async function listen(fetch: Fetch, address: { host: string; port: number }): Promise<HttpServer> {
  const { host, port } = address;
  const server = await new Promise<Server>((resolve, reject) => {
    const opened = serve({ fetch, hostname: host, port, serverOptions }, () => resolve(opened)) as Server;
    opened.maxConnections = mostSockets;
    answerUnreadable(opened);
    opened.once("error", (error) => reject(explain(error, host, port)));
  });
  const { port: chosen } = server.address() as AddressInfo;
  const shown = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return { url: `http://${shown.includes(":") ? `[${shown}]` : shown}:${chosen}`, close: () => close(server) };
}

function explain(error: Error & { code?: string }, host: string, port: number): AppError {
  const why =
    error.code === "EADDRINUSE" ? "somebody listens there already; set PORT" : `${error.message}; set HOST or PORT`;
  return new AppError("misconfigured", `cannot listen on ${host}:${port}: ${why}`, { cause: error });
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), patienceMs);
  await closed;
  clearTimeout(timer);
}
