import { useState } from "preact/hooks";
import { type Channel, getChannels, getDeliveries, removeChannel } from "../api/channels.ts";
import { formatDuration, formatTime } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import { describeChannel } from "./channel-draft.ts";
import { ChannelForm } from "./channel-form.tsx";
import { ChannelTest } from "./channel-test.tsx";
import { ConfirmButton } from "./confirm.tsx";

/** Where alerts are told: each with a test, its deliveries, and its editor. */
export function ChannelsPage() {
  const channels = useLive("alert-channels", getChannels);
  const [isAdding, setAdding] = useState(false);
  return (
    <div class="page">
      <nav class="crumbs" aria-label="You are here">
        <a href="/alerts" data-route>
          Alerts
        </a>
      </nav>
      <div class="title">
        <h1>Channels</h1>
        <span class="muted">Where alerts are told. Secrets are stored encrypted and never shown.</span>
      </div>
      {channels.data === null ? (
        channels.failure === null ? (
          <Skeleton height={240} label="Loading the channels" />
        ) : (
          <Failed failure={channels.failure} onRetry={channels.retry} />
        )
      ) : (
        <>
          {channels.data.items.length === 0 && (
            <Empty title="No channels yet">Alerts are on the page Alerts and in the API only.</Empty>
          )}
          {channels.data.items.map((channel) => (
            <ChannelPanel key={channel.channelId} channel={channel} onChanged={channels.retry} />
          ))}
          {isAdding ? (
            <div class="panel">
              <ChannelForm
                channel={null}
                onCancel={() => setAdding(false)}
                onSaved={() => {
                  setAdding(false);
                  channels.retry();
                }}
              />
            </div>
          ) : (
            <div>
              <button type="button" class="button" onClick={() => setAdding(true)}>
                New channel…
              </button>
            </div>
          )}
        </>
      )}
    </div>
  );
}

function ChannelPanel({ channel, onChanged }: { channel: Channel; onChanged: () => void }) {
  const [isEditing, setEditing] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const remove = async () => {
    const answer = await removeChannel(channel.channelId);
    if (answer.ok) onChanged();
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const name = `channel-${channel.channelId}`;
  return (
    <section class="panel form" aria-labelledby={name}>
      <h2 id={name}>{channel.name}</h2>
      <p class="muted">
        {describeChannel(channel)}
        {!channel.isEnabled && ", off"}
      </p>
      {isEditing ? (
        <ChannelForm
          channel={channel}
          onCancel={() => setEditing(false)}
          onSaved={() => {
            setEditing(false);
            onChanged();
          }}
        />
      ) : (
        <div class="buttons">
          <ChannelTest channel={channel} />
          <button type="button" class="button" onClick={() => setEditing(true)} aria-label={`Edit ${channel.name}`}>
            Edit
          </button>
          <ConfirmButton
            label={`Delete ${channel.name}`}
            question="Delete it, with what it has not told yet?"
            confirm="Delete it"
            onConfirm={() => void remove()}
          />
        </div>
      )}
      <div role="alert">{problem !== null && <Notice tone="bad">{problem}</Notice>}</div>
      <Deliveries channel={channel} />
    </section>
  );
}

function Deliveries({ channel }: { channel: Channel }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Deliveries</summary>
      {isOpen && <DeliveryLog channel={channel} />}
    </details>
  );
}

function DeliveryLog({ channel }: { channel: Channel }) {
  const { zone } = usePreferences();
  const { data, failure, retry } = useLive(`deliveries ${channel.channelId}`, (signal) =>
    getDeliveries(channel.channelId, signal),
  );
  if (data === null)
    return failure === null ? <p class="muted">Loading</p> : <Failed {...{ failure, onRetry: retry }} />;
  if (data.items.length === 0) return <p class="muted">Nothing was told on it yet.</p>;
  return (
    <Scrolling label={`Deliveries of ${channel.name}`}>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Try</th>
          <th scope="col">Notices</th>
          <th scope="col">Took</th>
          <th scope="col">What came of it</th>
        </tr>
      </thead>
      <tbody>
        {data.items.map((one) => (
          <tr key={`${one.key} ${one.attempt}`}>
            <td>{formatTime(Date.parse(one.at), zone, "full")}</td>
            <td>{one.attempt}</td>
            <td>{one.notifications}</td>
            <td>{formatDuration(one.elapsedMs / 1000)}</td>
            <td class="wrap">
              {one.isOk ? "arrived" : "failed"}: {one.detail}
            </td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}
