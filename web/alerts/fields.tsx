import type { ComponentChildren } from "preact";
import type { Draft } from "./draft.ts";

/** A form's parts, which all write into one draft. */
export type Edit = { draft: Draft; change: (part: Partial<Draft>) => void };

type TextName = {
  [Name in keyof Draft]: Draft[Name] extends string ? (string extends Draft[Name] ? Name : never) : never;
}[keyof Draft];

type TextProps = Edit & { name: TextName; label: string; isNumber?: boolean; hint?: string; maxLength?: number };

/** A line of text or a number, as text: what is no number is told, not dropped. */
export function TextField({ draft, change, name, label, isNumber = false, hint, maxLength = 256 }: TextProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        {...(isNumber ? { inputMode: "decimal" as const } : {})}
        {...(hint === undefined ? {} : { placeholder: hint })}
        autoComplete="off"
        maxLength={maxLength}
        value={draft[name]}
        onInput={(event) => change({ [name]: event.currentTarget.value })}
      />
    </label>
  );
}

type SelectProps<Value extends string> = {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onPick: (value: Value) => void;
};

export function SelectField<Value extends string>({ label, value, options, onPick }: SelectProps<Value>) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => {
          const picked = options.find(([one]) => one === event.currentTarget.value);
          if (picked !== undefined) onPick(picked[0]);
        }}
      >
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

export function CheckField(props: { isOn: boolean; onChange: (isOn: boolean) => void; children: ComponentChildren }) {
  return (
    <label class="check">
      <input type="checkbox" checked={props.isOn} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>{props.children}</span>
    </label>
  );
}
