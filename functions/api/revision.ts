import { cycleSecondsOf } from "./freshness.ts";
import type { ApiServices } from "./services.ts";

/** The revision is asked for this often at most. */
const askEveryMs = 1_000;
/** Ages and readings move on within a cycle too: this many times, whether anything was decided or not. */
const partsOfCycle = 20;

export type Revision = {
  /** Another text whenever answers may differ from what they were. */
  now(): Promise<string>;
  /** Somebody changed something through this process: the next `now` asks. */
  moved(): void;
};

/** The revision of what lists show, as it was a second ago at most, and of the clock. */
export function watchRevision({ views, ports, settings }: ApiServices): Revision {
  const everyMs = settings.revisionMs ?? askEveryMs;
  const partMs = Math.max(1_000, (cycleSecondsOf(settings) * 1_000) / partsOfCycle);
  let asked: { atMs: number; revision: Promise<string> } | null = null;
  return {
    async now() {
      if (asked === null || performance.now() - asked.atMs >= everyMs) {
        const mine = { atMs: performance.now(), revision: views.revision() };
        asked = mine;
        mine.revision.catch(() => {
          if (asked === mine) asked = null;
        });
      }
      const part = Math.floor(ports.clock.now().getTime() / partMs);
      return `${await asked.revision}.${part.toString(36)}`;
    },
    moved() {
      asked = null;
    },
  };
}
