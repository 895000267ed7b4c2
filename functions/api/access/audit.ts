import type { Context, MiddlewareHandler } from "hono";
import { type AuditEntry, auditSeconds, noteDone } from "../../../core/access/audit.ts";
import type { Log } from "../../../core/ports.ts";
import { refuse } from "../problem.ts";
import { ruleOf } from "./guard.ts";
import type { AccessServices } from "./services.ts";

const daySeconds = 86_400;

/**
 * Writes down who did what, once it is done, for the operations that the table names an action of; also what was tried
 * and refused. Trainings are counted there, so that their daily limit holds over every process. Entries older than a
 * year go with each new one.
 */
export function writeAudit({ audit, clock, limits }: AccessServices, log: Log): MiddlewareHandler {
  return async (c, next) => {
    const action = ruleOf(c)?.action;
    if (action === undefined) return next();
    if (action === "sensor.train") {
      const since = new Date(clock.now().getTime() - daySeconds * 1000);
      const trainings = await audit.count({ actorId: c.get("actor").id, action, since });
      if (trainings >= limits.trainingsPerDay) throw tooManyTrainings(c, limits.trainingsPerDay);
    }
    await next();
    const entry = entryOf(c, action, clock.now());
    // It is done already: a client must not be told that it failed.
    await noteDone({ audit, log }, entry);
    const before = new Date(entry.at.getTime() - auditSeconds * 1000);
    await audit.forget(before).catch((error: unknown) => log.error("audit.notForgotten", { before, error }));
  };
}

function entryOf(c: Context, action: string, at: Date): AuditEntry {
  const { kind, id, name } = c.get("actor");
  return {
    at,
    actorKind: kind,
    actorId: id,
    actorName: name,
    action,
    object: c.get("object") ?? objectOf(c.req.path),
    address: c.get("address"),
    requestId: c.get("requestId") ?? null,
    result: c.res.status < 400 ? "ok" : String(c.res.status),
  };
}

/** "/v1/models/m%201:promote" -> "models/m 1"; null where the path names nothing. */
function objectOf(path: string): string | null {
  const named = /^\/v1\/(\w+\/.+?)(:[\w-]+)?$/.exec(path)?.[1];
  if (named === undefined || named.startsWith("session/")) return null;
  let text = named;
  try {
    text = decodeURIComponent(named);
  } catch {
    // It stays as it was sent.
  }
  return text.toWellFormed().replaceAll("\0", "\ufffd").slice(0, 300);
}

function tooManyTrainings(c: Context, most: number) {
  c.header("Retry-After", "3600");
  return refuse(429, {
    code: "tooMany",
    detail: `trainings: ${most} were asked for in the last 24 h, no more are taken`,
  });
}
