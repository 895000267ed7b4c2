import { useState } from "preact/hooks";
import { type Channel, type DeliveryTry, getDeliveries, testChannel } from "../api/channels.ts";
import { formatDuration } from "../format.ts";

type Told = { tone: "muted" | "good" | "worse"; text: string };

const patienceMs = 15_000;
const everyMs = 500;

/** Tells a test on the channel, and says what the receiver said. */
export function ChannelTest({ channel }: { channel: Channel }) {
  const [told, setTold] = useState<Told | null>(null);
  const [isBusy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    setTold({ tone: "muted", text: "on its way" });
    setTold(await tell(channel.channelId));
    setBusy(false);
  };
  return (
    <span class="channel-test">
      <button
        type="button"
        class="button"
        disabled={isBusy || !channel.isEnabled}
        onClick={() => void run()}
        aria-label={`Test ${channel.name}`}
      >
        Test
      </button>
      <span role="status" class={told?.tone ?? ""}>
        {told?.text}
      </span>
    </span>
  );
}

async function tell(channelId: string): Promise<Told> {
  const accepted = await testChannel(channelId);
  if (!accepted.ok) return { tone: "worse", text: accepted.failure.detail };
  const { idempotencyKey } = accepted.data;
  const { signal } = new AbortController();
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const answer = await getDeliveries(channelId, signal);
    const found = answer.ok ? answer.data.items.find(({ key }) => key.includes(idempotencyKey)) : undefined;
    if (found !== undefined) return wordsOf(found);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return { tone: "muted", text: "not tried yet; the channel's deliveries will show it" };
}

/** "arrived in 12 ms: 204" */
function wordsOf({ isOk, detail, elapsedMs }: DeliveryTry): Told {
  const took = formatDuration(elapsedMs / 1000);
  return isOk ? { tone: "good", text: `arrived in ${took}: ${detail}` } : { tone: "worse", text: `failed: ${detail}` };
}
