import type { Draft, SaslMechanism } from "./channel-draft.ts";
import { CheckField, SelectField } from "./fields.tsx";

type Props = { kafka: Draft["kafka"]; change: (part: Partial<Draft["kafka"]>) => void };

const mechanisms: (readonly [SaslMechanism, string])[] = [
  ["", "nothing"],
  ["scram-sha-512", "SCRAM-SHA-512"],
  ["scram-sha-256", "SCRAM-SHA-256"],
  ["plain", "PLAIN"],
];

/** What a topic of Kafka needs beside its brokers and the password. */
export function KafkaFields({ kafka, change }: Props) {
  const text = (name: "topic" | "username", label: string) => (
    <label class="field">
      <span>{label}</span>
      <input
        autoComplete="off"
        spellcheck={false}
        maxLength={256}
        value={kafka[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <div class="form-row">
        {text("topic", "Topic")}
        <SelectField
          label="Signs in by"
          value={kafka.mechanism}
          options={mechanisms}
          onPick={(mechanism) => change({ mechanism })}
        />
        {kafka.mechanism !== "" && text("username", "User")}
      </div>
      <CheckField isOn={kafka.isEncrypted} onChange={(isEncrypted) => change({ isEncrypted })}>
        by TLS
      </CheckField>
    </>
  );
}
