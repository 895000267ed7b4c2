import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { AppError } from "../../../core/errors.ts";
import type { Cycle } from "../../../core/forecast/cycle.ts";
import { type DeadLetter, queueNames } from "../../../core/messages.ts";
import { lastLead } from "../../../core/model/leads.ts";
import { storageOf } from "../../../core/operations/storage.ts";
import { secondsBetween } from "../../../core/time.ts";
import { OpsResponse } from "../contract/ops.ts";
import { answers } from "../responses.ts";
import type { ApiServices } from "../services.ts";
import { describeSource } from "../source-state.ts";

const shownCycles = 24;
const shownDeadLetters = 20;
const longestBody = 2_000;

const getOps = createRoute({
  method: "get",
  path: "/v1/ops",
  tags: ["operations"],
  summary: "Source lag and freshness, cycles, queues, database size",
  responses: answers(200, OpsResponse, "The state of the system"),
});

export function opsRoutes(services: ApiServices): OpenAPIHono {
  const { ports, views, settings } = services;
  return new OpenAPIHono().openapi(getOps, async (c) => {
    const now = ports.clock.now();
    const [source, cycles, queue, deadLetters, database, storage, sensors] = await Promise.all([
      describeSource(services, now),
      ports.ledger.latestCycles(shownCycles),
      views.queueCounts(),
      describeDeadLetters(ports),
      views.databaseSize(),
      describeStorage(services, now),
      views.sensorCount(),
    ]);
    const { clockSpeed, isDemo, stepSeconds, leads, codeVersion } = settings;
    const body: OpsResponse = {
      now: now.toISOString(),
      clockSpeed,
      isDemo,
      stepSeconds,
      horizon: lastLead(leads),
      leads,
      source,
      cycles: cycles.map(toCycleResponse),
      queue,
      deadLetters,
      database,
      storage: storage(database.bytes),
      sensors,
      codeVersion,
    };
    return c.json(body, 200);
  });
}

/** Growth, limit and backup, once the database's size is known. */
async function describeStorage({ views, settings }: ApiServices, now: Date) {
  const [sizes, { backup, archivedDays, archivedBytes }] = await Promise.all([views.daySizes(), views.backupState()]);
  return (bytes: number): OpsResponse["storage"] => {
    const { tables, ...storage } = storageOf(sizes, { ...settings.storage, bytes }, now);
    return {
      ...storage,
      tables: tables.map((table) => ({ ...table, goesAt: table.goesAt.toISOString() })),
      backup: backup && {
        finishedAt: backup.finishedAt.toISOString(),
        ageSeconds: secondsBetween(backup.finishedAt, now),
        bytes: backup.bytes,
      },
      archived: { days: archivedDays, bytes: archivedBytes },
    };
  };
}

/** A queue that does not answer must not take the rest of the picture with it. */
async function describeDeadLetters({ deadLetters, log }: ApiServices["ports"]): Promise<OpsResponse["deadLetters"]> {
  try {
    const { count, first } = await deadLetters.list(queueNames, shownDeadLetters);
    return { count, items: first.map(toDeadLetterItem), error: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    log.warn("ops.deadLetters", { error });
    return { count: 0, items: [], error: "The queue does not answer" };
  }
}

function toDeadLetterItem({ sentAt, deadAt, body, ...rest }: DeadLetter): OpsResponse["deadLetters"]["items"][number] {
  return {
    ...rest,
    sentAt: sentAt.toISOString(),
    deadAt: deadAt?.toISOString() ?? null,
    body: JSON.stringify(body).slice(0, longestBody),
  };
}

function toCycleResponse(cycle: Cycle) {
  return {
    ...cycle,
    slot: cycle.slot.toISOString(),
    openedAt: cycle.openedAt.toISOString(),
    fannedOutAt: cycle.fannedOutAt?.toISOString() ?? null,
  };
}
