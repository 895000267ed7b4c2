import type { ComponentChildren } from "preact";
import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatBytes, formatCount, formatDuration, formatTime, plural } from "../format.ts";
import { Icon, type IconName } from "../shell/icons.tsx";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse, useTick } from "../shell/pulse.ts";
import { Skeleton } from "../shell/states.tsx";

type Tone = "ok" | "warn" | "bad" | "none";
const toneIcons: Record<Tone, IconName> = { ok: "ok", warn: "stale", bad: "refused", none: "waiting" };

function Fact(props: { name: string; tone: Tone; value: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class={`fact fact-${props.tone}`}>
      <dt>
        <Icon name={toneIcons[props.tone]} />
        {props.name}
      </dt>
      <dd>
        <span class="fact-value numeric">{props.value}</span>
        <span class="fact-note muted">{props.children}</span>
      </dd>
    </div>
  );
}

/** Is the whole alive: source, replication, last cycle, queue, database, backup. */
export function StatusStrip() {
  const pulse = usePulse();
  useTick(1000);
  const present = presentOf(pulse);
  if (pulse.ops === null || present === null) {
    return pulse.failure === null ? <Skeleton height={84} label="Loading the state of the system" /> : null;
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on a phone, by keyboard too
    <section class="strip-box" tabIndex={0} aria-label="State of the system">
      <dl class="strip">
        <Source ops={pulse.ops} present={present} />
        <Replication source={pulse.ops.source} />
        <LastCycle ops={pulse.ops} present={present} />
        <Queue queue={pulse.ops.queue} />
        <Database ops={pulse.ops} />
        <Backup storage={pulse.ops.storage} />
      </dl>
    </section>
  );
}

function Source({ ops, present }: { ops: OpsResponse; present: number }) {
  const { zone } = usePreferences();
  const { newestReadingAt, error } = ops.source;
  if (newestReadingAt === null) {
    return (
      <Fact name="Newest reading" tone={error === null ? "none" : "bad"} value="none yet">
        {error === null ? "waits for the first reading" : "the source does not answer"}
      </Fact>
    );
  }
  const age = (present - Date.parse(newestReadingAt)) / 1000;
  return (
    <Fact name="Newest reading" tone={age > 3 * ops.stepSeconds ? "warn" : "ok"} value={`${formatDuration(age)} old`}>
      {formatTime(Date.parse(newestReadingAt), zone, "dayClock")}, {plural(ops.sensors, "sensor")}
    </Fact>
  );
}

function Replication({ source }: { source: OpsResponse["source"] }) {
  if (source.error !== null) {
    return (
      <Fact name="Replication" tone="bad" value="no answer">
        {source.error}
      </Fact>
    );
  }
  const lag = source.lagBytes === null ? "not told" : source.lagBytes === 0 ? "in step" : formatBytes(source.lagBytes);
  const isStopped = source.isReceiving === false;
  return (
    <Fact
      name="Replication"
      tone={isStopped ? "bad" : source.isStandby ? "ok" : "none"}
      value={isStopped ? "stopped" : lag}
    >
      {source.isStandby
        ? isStopped
          ? "standby receives nothing"
          : source.lagBytes === 0
            ? "the standby has all of the primary"
            : "behind the primary, on a standby"
        : "reads a primary"}
    </Fact>
  );
}

function LastCycle({ ops, present }: { ops: OpsResponse; present: number }) {
  const { zone } = usePreferences();
  const cycle = ops.cycles[0];
  if (cycle === undefined) {
    return (
      <Fact name="Last cycle" tone="none" value="none yet">
        the first one comes within {formatDuration(ops.stepSeconds / ops.clockSpeed)}
      </Fact>
    );
  }
  const decided = cycle.issued + cycle.baseline + cycle.refused + cycle.expired;
  const isLate = (present - Date.parse(cycle.slot)) / 1000 > 3 * ops.stepSeconds;
  const tone = isLate || cycle.expired > 0 ? "warn" : cycle.refused > 0 ? "warn" : "ok";
  const parts = [
    `${formatCount(cycle.issued)} issued`,
    cycle.baseline > 0 && `${formatCount(cycle.baseline)} baseline`,
    cycle.refused > 0 && `${formatCount(cycle.refused)} refused`,
    cycle.expired > 0 && `${formatCount(cycle.expired)} expired`,
    decided < cycle.sensors && `${formatCount(cycle.sensors - decided)} to go`,
  ].filter(Boolean);
  return (
    <Fact name="Last cycle" tone={tone} value={formatTime(Date.parse(cycle.slot), zone, "clock")}>
      {parts.join(", ")}
    </Fact>
  );
}

/** On AWS the queues are SQS's, and nobody counts them here: no queue in the answer is not a queue without failures. */
function Queue({ queue }: { queue: OpsResponse["queue"] }) {
  if (queue.length === 0) {
    return (
      <Fact name="Queue" tone="none" value="not counted here">
        the operator's page of the cloud has its numbers
      </Fact>
    );
  }
  const sum = (field: "waiting" | "active" | "failed") => queue.reduce((total, one) => total + one[field], 0);
  const failed = sum("failed");
  return (
    <Fact name="Queue" tone={failed > 0 ? "warn" : "ok"} value={`${formatCount(sum("waiting"))} waiting`}>
      {formatCount(sum("active"))} active, {formatCount(failed)} failed
    </Fact>
  );
}

/** Below so many days somebody should act. */
const scarceDays = 14;

function Database({ ops: { database, storage } }: { ops: OpsResponse }) {
  const { daysToLimit, bytesPerDay } = storage;
  const largest = [...database.tables].sort((a, b) => b.bytes - a.bytes)[0];
  const growth = bytesPerDay === null ? null : `${formatBytes(bytesPerDay)} a day`;
  const note =
    daysToLimit !== null
      ? `full in ${plural(Math.floor(daysToLimit), "day")}, ${growth ?? "at its limit"}`
      : (growth ??
        (largest === undefined ? "no tables yet" : `most in ${largest.name}: ${plural(largest.rows, "row")}`));
  const isScarce = daysToLimit !== null && daysToLimit < scarceDays;
  return (
    <Fact name="Database" tone={isScarce ? "warn" : "ok"} value={formatBytes(database.bytes)}>
      {note}
    </Fact>
  );
}

/** The next one comes after a day. */
const oldBackupSeconds = 2 * 86_400;

function Backup({ storage: { backup } }: { storage: OpsResponse["storage"] }) {
  if (backup === null) {
    return (
      <Fact name="Backup" tone="none" value="none yet">
        comes at night; npm run backup -- now
      </Fact>
    );
  }
  return (
    <Fact
      name="Backup"
      tone={backup.ageSeconds > oldBackupSeconds ? "warn" : "ok"}
      value={`${formatDuration(backup.ageSeconds)} old`}
    >
      {formatBytes(backup.bytes)}, read back
    </Fact>
  );
}
