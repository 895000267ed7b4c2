import type { Channel } from "../api/channels.ts";
import { Notice } from "../shell/states.tsx";
import { ChannelPicker } from "./channel-picker.tsx";
import { ConditionFields, type TargetChoice } from "./condition-fields.tsx";
import { ConfirmButton } from "./confirm.tsx";
import { CheckField, type Edit, TextField } from "./fields.tsx";
import { PatienceFields } from "./patience-fields.tsx";

type Props = Edit & {
  isNew: boolean;
  targets: TargetChoice[];
  channels: { known: Channel[]; problem: string | null; onAdded: (channel: Channel) => void };
  problem: string | null;
  isBusy: boolean;
  onSave: () => void;
  onRemove: () => void;
};

/** All of a rule that a person decides. */
export function RuleForm({ isNew, targets, channels, problem, isBusy, onSave, onRemove, ...edit }: Props) {
  const { draft, change } = edit;
  return (
    <form
      class="form panel"
      aria-label={isNew ? "New rule" : "The rule"}
      aria-busy={isBusy}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSave();
      }}
    >
      <TextField {...edit} name="name" label="Name" maxLength={100} />
      <ConditionFields {...edit} targets={targets} />
      <ChannelPicker {...edit} channels={channels.known} problem={channels.problem} onAdded={channels.onAdded} />
      <PatienceFields {...edit} />
      <CheckField isOn={draft.isEnabled} onChange={(isEnabled) => change({ isEnabled })}>
        enabled
      </CheckField>
      <div role="alert">{problem !== null && <Notice tone="bad">{problem}</Notice>}</div>
      <div class="buttons">
        <button type="submit" class="button button-main" disabled={isBusy}>
          {isNew ? "Make the rule" : "Save the rule"}
        </button>
        {!isNew && (
          <ConfirmButton
            label="Delete the rule"
            question="Delete it for good? What it fired stays in the history."
            confirm="Delete it"
            onConfirm={onRemove}
          />
        )}
      </div>
    </form>
  );
}
