import { Notice } from "../shell/states.tsx";

type Props = { problem: string | null; isBusy: boolean; onCancel: () => void };

/** The end of a form: what kept it from being saved, Save, which waits while it is busy, and Cancel. */
export function FormEnd({ problem, isBusy, onCancel }: Props) {
  return (
    <>
      <div role="alert">{problem !== null && <Notice tone="bad">{problem}</Notice>}</div>
      <div class="buttons">
        <button type="submit" class="button button-main" disabled={isBusy}>
          Save
        </button>
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </>
  );
}
