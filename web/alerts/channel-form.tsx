import { useState } from "preact/hooks";
import { type Channel, changeChannel, makeChannel } from "../api/channels.ts";
import { Notice } from "../shell/states.tsx";
import {
  asKind,
  type ChannelKind,
  channelDraftOf,
  channelKinds,
  channelOf,
  type Draft,
  newChannel,
  secretAsked,
} from "./channel-draft.ts";
import { CheckField, SelectField } from "./fields.tsx";
import { KafkaFields } from "./kafka-fields.tsx";

const kinds = (Object.keys(channelKinds) as ChannelKind[]).map((kind) => [kind, channelKinds[kind].name] as const);

type Props = { channel: Channel | null; onSaved: (channel: Channel) => void; onCancel: () => void };

/** A new channel, or one that is changed. */
export function ChannelForm({ channel, onSaved, onCancel }: Props) {
  const [draft, setDraft] = useState<Draft>(() => (channel === null ? newChannel() : channelDraftOf(channel)));
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const { address, note } = channelKinds[draft.kind];
  const secret = secretAsked(draft);
  const save = async () => {
    setBusy(true);
    setProblem(null);
    const sent = channelOf(draft);
    const answer = await (channel === null ? makeChannel(sent) : changeChannel(channel.channelId, sent));
    setBusy(false);
    if (answer.ok) onSaved(answer.data);
    else setProblem(`${answer.failure.title}: ${answer.failure.detail}`);
  };
  const text = (name: "name" | "address" | "secret", label: string, hint = "") => (
    <label class="field">
      <span>{label}</span>
      <input
        autoComplete="off"
        spellcheck={false}
        maxLength={2000}
        placeholder={hint}
        value={draft[name]}
        onInput={(event) => setDraft({ ...draft, [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    // No form element: it stands within the rule's own.
    <fieldset class="form channel-form" aria-busy={isBusy}>
      <legend>{channel === null ? "New channel" : `Change ${channel.name}`}</legend>
      <div class="form-row">
        <SelectField label="Kind" value={draft.kind} options={kinds} onPick={(kind) => setDraft(asKind(draft, kind))} />
        {text("name", "Channel's name")}
      </div>
      {address !== null && text("address", address.label, address.hint)}
      {draft.kind === "kafka" && (
        <KafkaFields
          kafka={draft.kafka}
          change={(part) => setDraft({ ...draft, kafka: { ...draft.kafka, ...part } })}
        />
      )}
      {secret !== null && text("secret", secret.label, channel?.hasSecret ? "stays as it is" : secret.hint)}
      <p class="muted hint">{note}</p>
      {channel !== null && (
        <CheckField isOn={draft.isEnabled} onChange={(isEnabled) => setDraft({ ...draft, isEnabled })}>
          enabled
        </CheckField>
      )}
      <div role="alert">{problem !== null && <Notice tone="bad">{problem}</Notice>}</div>
      <div class="buttons">
        <button type="button" class="button" onClick={() => void save()} disabled={isBusy}>
          {channel === null ? "Add the channel" : "Save the channel"}
        </button>
        <button type="button" class="button button-quiet" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </fieldset>
  );
}
