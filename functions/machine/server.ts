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

/** The listening server. `close` lets running requests finish, for 5 s at most. */
export type HttpServer = { url: string; close(): Promise<void> };

type Fetch = (request: Request) => Response | Promise<Response>;

const patienceMs = 5_000;

/** The API and the dashboard in one app: the dashboard's files from `webFolder`, and its index page for its own paths. */
export function createSite(api: Fetch, webFolder: string): Hono {
  const site = new Hono();
  const index = serveStatic({ root: webFolder, path: "index.html" });
  site.use(async (c, next) => (isApiPath(c.req.path) ? api(c.req.raw) : next()));
  site.use(compress());
  site.use(secureHeaders({ contentSecurityPolicy: dashboardPolicy, strictTransportSecurity: false }));
  site.use(async (c, next) => {
    await next();
    // Built files carry their hash in the name; the page that names them must always be asked for.
    const isHashed = c.req.path.startsWith("/assets/") && c.res.ok;
    c.res.headers.set("Cache-Control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
  });
  site.use(serveStatic({ root: webFolder }));
  site.get("*", async (c, next) => (isPage(c.req.path) ? index(c, next) : next()));
  site.notFound((c) => c.text(existsSync(join(webFolder, "index.html")) ? "not found" : notBuilt, 404));
  return site;
}

const notBuilt = "the dashboard is not built: npm run build:web\n";
const dashboardPolicy = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", "data:"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
};

/** A path without an extension is the dashboard's own, not a missing file; a sensor's id may look as if it had one. */
function isPage(path: string): boolean {
  return path.startsWith("/sensors/") || !/\.[a-z0-9]+$/i.test(path);
}

/** Listens, and resolves once connections are taken. Throws misconfigured when the address is not to be had. */
export async function listen(fetch: Fetch, address: { host: string; port: number }): Promise<HttpServer> {
  const { host, port } = address;
  const server = await new Promise<Server>((resolve, reject) => {
    const opened = serve({ fetch, hostname: host, port, overrideGlobalObjects: false }, () =>
      resolve(opened),
    ) as Server;
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
