import { createHash } from "node:crypto";
import { OpenAPIHono } from "@hono/zod-openapi";
import { compress } from "hono/compress";
import { cors } from "hono/cors";
import { etag } from "hono/etag";
import { methodNotAllowed } from "hono/method-not-allowed";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { writeAudit } from "./access/audit.ts";
import { guard } from "./access/guard.ts";
import { createLimiter } from "./access/limits.ts";
import { keepAnswers } from "./answers.ts";
import { readBodies } from "./body.ts";
import { defaultDeadlines, limitTime } from "./deadline.ts";
import { forbidSharing, permissionsPolicy } from "./headers.ts";
import { boundInFlight, defaultLanes } from "./lanes.ts";
import { isProbe, logRequests, measureRequests, refuseOtherSites } from "./middleware.ts";
import { answerError, problemResponse, refuse } from "./problem.ts";
import { watchRevision } from "./revision.ts";
import { accuracyRoutes } from "./routes/accuracy.ts";
import { alertChannelRoutes } from "./routes/alert-channels.ts";
import { alertRuleRoutes } from "./routes/alert-rules.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { annotationRoutes } from "./routes/annotations.ts";
import { auditRoutes } from "./routes/audit.ts";
import { documentRoutes } from "./routes/document.ts";
import { fleetRoutes } from "./routes/fleets.ts";
import { forecastRoutes } from "./routes/forecasts.ts";
import { healthRoutes } from "./routes/health.ts";
import { keyRoutes } from "./routes/keys.ts";
import { metricRoutes } from "./routes/metrics.ts";
import { modelRoutes } from "./routes/models.ts";
import { opsRoutes } from "./routes/ops.ts";
import { readingRoutes } from "./routes/readings.ts";
import { rehearseRoutes } from "./routes/rehearse.ts";
import { sensorRoutes } from "./routes/sensors.ts";
import { sessionRoutes } from "./routes/session.ts";
import { shareRoutes } from "./routes/share.ts";
import type { ApiServices } from "./services.ts";
import { withWatchedSource } from "./watched-source.ts";

/** Nothing may be loaded; only the reference page has a style of its own. */
const contentSecurityPolicy = { defaultSrc: ["'none'"], styleSrc: ["'unsafe-inline'"], frameAncestors: ["'none'"] };
const maxBodyBytes = 64 * 1024;

/** True for the paths that `createApi` answers; a process that also serves the dashboard keeps the others for it. */
export function isApiPath(path: string): boolean {
  return /^\/(v1|healthz|readyz|metrics|openapi\.json|reference)(\/|$)/.test(path);
}

/** The whole API as a Hono app: `fetch` for a server, `request` for tests, `handle` for Lambda. */
export function createApi(services: ApiServices): OpenAPIHono {
  const { settings, ports, access } = services;
  const app = new OpenAPIHono({ defaultHook: refuseInvalid });
  app.onError((error, c) => answerError(error, c, ports.log));
  app.notFound((c) =>
    problemResponse(c, 404, { code: "notFound", detail: "no such path; /openapi.json lists those there are" }),
  );

  app.use(requestId());
  app.use(logRequests(ports.log, settings.logsReads ?? !settings.isDemo));
  app.use(measureRequests(services.metrics));
  app.use(secureHeaders({ contentSecurityPolicy, permissionsPolicy }));
  app.use(forbidSharing());
  if (settings.allowedOrigins.length > 0) app.use(cors(corsOptions(settings.allowedOrigins)));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: (c, methods) => answerMethod(c, methods) }));
  app.use(refuseOtherSites(settings));
  const limiter = createLimiter(access.limits);
  app.use(guard(access, limiter));
  const revision = watchRevision(services);
  const answers = keepAnswers(revision);
  app.use(answers.give);
  const compressed = compress();
  // A probe's few bytes cost more to compress than to make.
  app.use((c, next) => (isProbe(c.req.path) ? next() : compressed(c, next)));
  const tag = etag({ generateDigest });
  // A tag is made of the whole answer: what is streamed gets none, nor do probes.
  app.use((c, next) => (c.req.path.startsWith("/v1/") && c.req.path !== "/v1/forecasts" ? tag(c, next) : next()));
  app.use(readBodies({ maxBytes: maxBodyBytes, deadlineMs: settings.bodyDeadlineMs ?? 5_000 }));
  app.use(boundInFlight({ ...defaultLanes, ...settings.lanes }));
  app.use(answers.again);
  app.use(writeAudit(access, ports.log));
  app.use(limitTime(settings.deadlines ?? defaultDeadlines, services.within));

  const watched = withWatchedSource(services);
  app.route("/", healthRoutes(services));
  app.route("/", sensorRoutes(services, revision));
  app.route("/", readingRoutes(services));
  app.route("/", forecastRoutes(services));
  app.route("/", accuracyRoutes(services));
  app.route("/", fleetRoutes(services));
  app.route("/", modelRoutes(services));
  app.route("/", annotationRoutes(services));
  app.route("/", alertRuleRoutes(services));
  app.route("/", alertRoutes(services));
  app.route("/", rehearseRoutes(services));
  app.route("/", alertChannelRoutes(services));
  app.route("/", opsRoutes(watched));
  app.route("/", metricRoutes(watched));
  app.route("/", sessionRoutes(services, limiter));
  app.route("/", shareRoutes(services));
  app.route("/", keyRoutes(services));
  app.route("/", auditRoutes(services));
  app.route("/", documentRoutes(app, services));
  return app;
}

/** At once: another thread's digest of so few bytes costs fifty times as much. */
function generateDigest(body: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return new Uint8Array(createHash("sha1").update(body).digest()).buffer;
}

const refuseInvalid: NonNullable<OpenAPIHono["defaultHook"]> = (result) => {
  if (result.success) return;
  const errors = result.error.issues.flatMap(told).map(({ path, message }) => ({ path: path.join("."), message }));
  const first = errors[0];
  throw refuse(422, { code: "badInput", detail: `${first?.path || result.target}: ${first?.message}`, errors });
};

type Issue = { path: PropertyKey[]; message: string; code?: string; errors?: Issue[][] };

/** What is wrong with a value that may be null but is not: what its shape says, not that no shape fits. */
function told(issue: Issue): Issue[] {
  const [first, ...others] = issue.errors ?? [];
  const isOrNull = others.length === 1 && others[0]?.[0]?.message.includes("expected null");
  if (issue.code !== "invalid_union" || first === undefined || !isOrNull) return [issue];
  return first.flatMap((one) => told({ ...one, path: [...issue.path, ...one.path] }));
}

function answerMethod(c: Parameters<typeof problemResponse>[0], methods: string[]): Response {
  c.header("Allow", methods.join(", "));
  if (c.req.method === "OPTIONS") return c.body(null, 204);
  const detail = `${c.req.method} is not possible here; ${methods.join(", ")} is`;
  return problemResponse(c, 405, { code: "methodNotAllowed", detail });
}

function corsOptions(origin: string[]) {
  return {
    origin,
    allowMethods: ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"],
    allowHeaders: ["Authorization", "Content-Type", "If-None-Match"],
    exposeHeaders: ["ETag", "X-Next-Cursor", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
    maxAge: 600,
  };
}
