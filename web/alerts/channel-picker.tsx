import { useState } from "preact/hooks";
import type { Channel } from "../api/channels.ts";
import { describeChannel } from "./channel-draft.ts";
import { ChannelForm } from "./channel-form.tsx";
import { ChannelTest } from "./channel-test.tsx";
import { CheckField, type Edit } from "./fields.tsx";

type Props = Edit & {
  channels: Channel[];
  /** Why there are none to see. */
  problem: string | null;
  onAdded: (channel: Channel) => void;
};

/** Where the rule tells, each with a test; a new channel is made in place and chosen at once. */
export function ChannelPicker({ draft, change, channels, problem, onAdded }: Props) {
  const [isAdding, setAdding] = useState(false);
  return (
    <fieldset class="form">
      <legend>Tells</legend>
      {channels.length === 0 && !isAdding && (
        <p class="muted">{problem ?? "Nobody but this page. Add a channel to be told elsewhere."}</p>
      )}
      {channels.map((channel) => (
        <div key={channel.channelId} class="channel-line">
          <CheckField
            isOn={draft.channelIds.includes(channel.channelId)}
            onChange={(isOn) => change({ channelIds: idsWith(draft.channelIds, channel.channelId, isOn) })}
          >
            {channel.name} <span class="muted">{describeChannel(channel)}</span>
          </CheckField>
          <ChannelTest channel={channel} />
        </div>
      ))}
      {isAdding ? (
        <ChannelForm
          channel={null}
          onCancel={() => setAdding(false)}
          onSaved={(channel) => {
            setAdding(false);
            onAdded(channel);
            change({ channelIds: idsWith(draft.channelIds, channel.channelId, true) });
          }}
        />
      ) : (
        <div>
          <button type="button" class="button" onClick={() => setAdding(true)}>
            New channel…
          </button>
        </div>
      )}
    </fieldset>
  );
}

function idsWith(ids: string[], id: string, isIn: boolean): string[] {
  return [...ids.filter((one) => one !== id), ...(isIn ? [id] : [])];
}
