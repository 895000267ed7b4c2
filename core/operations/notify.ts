import type { Batch, Outbox, Sender, Sent } from "../alert/outbox.ts";
import { AppError } from "../errors.ts";
import type { NotifyMessage } from "../messages.ts";
import type { Ports } from "../ports.ts";
import { addSeconds, secondsBetween } from "../time.ts";

export type NotifyPorts = Pick<Ports, "log" | "queue" | "leases"> & {
  /** The wall's clock: receivers live by it. */
  wall: Pick<Ports["clock"], "now">;
  outbox: Outbox;
  send: Sender;
  /** A name for who holds the lease; another one each time. */
  newHolder(): string;
};

/** What finding what is due takes: nothing is sent. */
export type SweepPorts = Pick<NotifyPorts, "outbox" | "queue" | "wall" | "log">;

/** Longer than any sender takes for one batch. */
const leaseSeconds = 60;
/** Tried for about a day: 10 s, 20 s, ... up to an hour apart. */
const mostAttempts = 30;
const [firstPauseSeconds, longestPauseSeconds] = [10, 3_600];
const mostBatches = 200;

/**
 * Tells on one channel what is due, in order, one at a time. What fails is tried again later under the same key, and
 * what comes after it on the same rule waits. Crashing at any point loses nothing: at worst something arrives twice.
 */
export async function notify(ports: NotifyPorts, { channelId, slot }: NotifyMessage): Promise<{ delivered: number }> {
  const { leases, outbox, log, wall } = ports;
  const [lease, holder] = [`notify/${channelId}`, ports.newHolder()];
  // Who holds it looks once more before letting go; what comes in between is found by the next sweep.
  if (!(await leases.acquire(lease, holder, leaseSeconds))) return { delivered: 0 };
  let delivered = 0;
  try {
    const tell = await openChannel(ports, channelId);
    if (tell === null) return { delivered };
    for (let i = 0; i < mostBatches; i++) {
      const batch = await outbox.next(channelId, wall.now());
      if (batch === null) break;
      if (await deliver(ports, channelId, tell, batch)) delivered += batch.total;
      await leases.acquire(lease, holder, leaseSeconds);
    }
  } finally {
    await leases.release(lease, holder);
  }
  if (delivered > 0) log.info("notify.delivered", { channelId, delivered });
  await askAgain(ports, slot, channelId);
  return { delivered };
}

type Telling = (batch: Batch) => Promise<Sent>;

/** How the channel tells; null where it is off. One whose secret is not to be had fails, and its deliveries say why. */
async function openChannel({ outbox, send }: NotifyPorts, channelId: string): Promise<Telling | null> {
  try {
    const channel = await outbox.channel(channelId);
    return channel && ((batch) => send(channel, batch));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "misconfigured") throw error;
    return () => Promise.reject(error);
  }
}

async function deliver(ports: NotifyPorts, channelId: string, tell: Telling, batch: Batch): Promise<boolean> {
  const { wall, outbox, log } = ports;
  const at = wall.now();
  const sent = await tell(batch).catch(
    (error: unknown): Sent => ({
      isOk: false,
      isFinal: false,
      detail: error instanceof Error ? error.message : "failed",
    }),
  );
  const attempt = batch.attempts + 1;
  const elapsedMs = Math.round(1000 * secondsBetween(at, wall.now()));
  const made = { at, elapsedMs, attempt, key: batch.key, notifications: batch.total };
  const isOver = sent.isOk || sent.isFinal || attempt >= mostAttempts;
  const pause = Math.min(longestPauseSeconds, firstPauseSeconds * 2 ** Math.min(20, batch.attempts));
  const detail = sent.detail.slice(0, 500);
  await outbox.settle(
    channelId,
    batch,
    { ...made, isOk: sent.isOk, detail },
    isOver ? null : addSeconds(wall.now(), pause),
  );
  if (!sent.isOk) log.warn(isOver ? "notify.givenUp" : "notify.failed", { channelId, attempt, detail });
  return sent.isOk;
}

/** Has the queue come back when the next is due. */
async function askAgain({ outbox, queue, wall, log }: SweepPorts, slot: Date, only: string | null): Promise<void> {
  const now = wall.now();
  const waiting = (await outbox.waiting()).filter(({ channelId }) => only === null || channelId === only);
  if (waiting.length === 0) return;
  const messages = waiting.map(({ channelId, dueAt }) => ({
    // What has been due for long gets a key of its own each time: its messages were lost.
    key: `${channelId}/${(dueAt > now ? dueAt : now).toISOString()}`,
    delaySeconds: Math.max(0, Math.ceil(secondsBetween(now, dueAt))),
    body: { channelId, slot: slot.toISOString() },
  }));
  await queue.send("notify", messages).catch((error: unknown) => log.warn("notify.notQueued", { error }));
}

/** Finds what is due on all channels, whoever lost its message. */
export async function sweepNotices(ports: SweepPorts, slot: Date) {
  await askAgain(ports, slot, null);
}
