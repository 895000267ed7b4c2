import type { Clock } from "../../core/ports.ts";
import { cycleSecondsOf } from "./freshness.ts";
import type { ApiServices, ApiSettings } from "./services.ts";

/** The revision is asked for this often at most. */
const askEveryMs = 1_000;
/** While it moves each time, as it does while a cycle is stored shard by shard, up to so many times as seldom. */
const mostPatience = 8;
/** Ages and readings move on within a cycle too: this many times, whether anything was decided or not. */
const partsOfCycle = 20;

export type Revision = {
  /** Another text whenever answers may differ from what they were. */
  now(): Promise<string>;
  /** Somebody changed something through this process: the next `now` asks. */
  moved(): void;
};

/**
 * The revision of what lists show, as it was a second ago at most, some seconds while a cycle is being stored, and of
 * the clock.
 */
export function watchRevision({
  views,
  ports,
  settings,
}: {
  views: Pick<ApiServices["views"], "revision">;
  ports: { clock: Pick<Clock, "now"> };
  settings: Pick<ApiSettings, "stepSeconds" | "cycleSeconds" | "revisionMs">;
}): Revision {
  const everyMs = settings.revisionMs ?? askEveryMs;
  const partMs = Math.max(1_000, (cycleSecondsOf(settings) * 1_000) / partsOfCycle);
  let asked: { atMs: number; revision: Promise<string> } | null = null;
  let patience = 1;
  let newest: string | null = null;
  const learn = (revision: string) => {
    const isMoving = newest !== null && revision !== newest;
    patience = isMoving ? Math.min(mostPatience, 2 * patience) : 1;
    newest = revision;
  };
  return {
    async now() {
      if (asked === null || performance.now() - asked.atMs >= patience * everyMs) {
        const mine = { atMs: performance.now(), revision: views.revision() };
        asked = mine;
        mine.revision.then(learn, () => {
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
