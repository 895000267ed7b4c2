import type { Clock } from "../../core/ports.ts";
import { cycleSecondsOf } from "./freshness.ts";
import type { ApiServices, ApiSettings } from "./services.ts";

/** The revision is asked for this often at most. */
const askEveryMs = 1_000;
/** While it moves each time, as it does while a cycle is stored shard by shard, up to so many times as seldom. */
const mostPatience = 8;
/** What is given while somebody makes it anew was right so long ago at most. */
const oldestMs = 10_000;
/** Ages and readings move on within a cycle too: this many times, whether anything was decided or not. */
const partsOfCycle = 20;

/** What `revision` names was right a moment ago; `before` names what was right ten seconds ago or less, if anything. */
export type Moment = {
  /** Another text whenever answers may differ from what they were. */
  revision: string;
  before: string | null;
  /** Counts what was changed through this process: what was made before a change is not to be given after it. */
  ownChanges: number;
};

export type Revision = {
  now(): Promise<Moment>;
  /** Somebody changed something through this process: the next `now` asks. */
  moved(): void;
};

type Told = { revision: string; atMs: number };

/**
 * The revision of what lists show, as it was a second ago at most, some seconds while a cycle is being stored, and of
 * the clock. Whoever finds it due asks and waits; the others go on with what was told last.
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
  let asked: { atMs: number; told: Promise<Told> } | null = null;
  let told: Told | null = null;
  let current: Told | null = null;
  let before: Told | null = null;
  let patience = 1;
  let newest: string | null = null;
  let ownChanges = 0;

  function ask(atMs: number): Promise<Told> {
    const era = ownChanges;
    const mine = { atMs, told: views.revision().then((revision) => ({ revision, atMs })) };
    asked = mine;
    mine.told.then(
      (answer) => {
        if (era !== ownChanges || (told !== null && told.atMs > atMs)) return;
        told = answer;
        patience = newest !== null && newest !== answer.revision ? Math.min(mostPatience, 2 * patience) : 1;
        newest = answer.revision;
      },
      () => {
        if (asked === mine) asked = null;
      },
    );
    return mine.told;
  }

  /** Whether `one` is the newest that is known; what was asked before a change of ours never is. */
  function advance(one: Told, era: number): boolean {
    if (era !== ownChanges || (current !== null && one.atMs < current.atMs)) return false;
    if (current !== null && current.revision !== one.revision) before = current;
    current = one;
    return true;
  }

  return {
    async now() {
      const era = ownChanges;
      const nowMs = performance.now();
      const isDue = asked === null || nowMs - asked.atMs >= patience * everyMs;
      const asking = isDue || asked === null ? ask(nowMs) : asked.told;
      const last = !isDue && told !== null && nowMs - told.atMs < oldestMs ? told : await asking;
      const part = Math.floor(ports.clock.now().getTime() / partMs).toString(36);
      const one = { revision: `${last.revision}.${part}`, atMs: last.atMs };
      const isNewest = advance(one, era);
      const mayServe = isNewest && before !== null && performance.now() - before.atMs < oldestMs;
      return { revision: one.revision, before: mayServe ? before!.revision : null, ownChanges: era };
    },
    moved() {
      ownChanges++;
      asked = null;
      told = null;
      current = null;
      before = null;
    },
  };
}
