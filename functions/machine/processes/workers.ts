import { openWorkers } from "../workers.ts";
import { serveProcess } from "./serve.ts";
import type { WorkersGiven } from "./system.ts";

// Forecasts, scores, trainings and all that a schedule drives.
serveProcess<WorkersGiven, true, Record<string, never>>(async ({ ground }, base, stack) => {
  return { opened: true, verbs: await openWorkers(ground, base, stack) };
});
