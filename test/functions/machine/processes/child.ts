import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../../../core/errors.ts";
import { talkOver, type Verbs } from "../../../../functions/machine/processes/calls.ts";

/** A process to be kept: it opens unless it is told not to, and does as it is asked. */
export type Asked = {
  pid(): Promise<number>;
  echo(value: unknown): Promise<unknown>;
  askBack(): Promise<unknown>;
  refuse(): Promise<void>;
  crash(): Promise<void>;
  never(): Promise<void>;
};

process.on("disconnect", () => process.exit(1));
const own: Verbs & Asked = {
  open: async (given: { fails: boolean }) => {
    if (given.fails) throw new AppError("misconfigured", "the door is painted on");
    return "open";
  },
  stop: async () => {
    await sleep(50);
    setImmediate(() => process.disconnect());
  },
  pid: async () => process.pid,
  echo: async (value: unknown) => value,
  askBack: () => ask("answer", 41),
  refuse: async () => {
    throw new AppError("notFound", "there is none");
  },
  crash: async () => process.exit(7),
  never: () => new Promise<void>(() => undefined),
};
const ask = talkOver<{ answer(n: number): Promise<number> }>(process, own, () => new AppError("internal", "gone"));
