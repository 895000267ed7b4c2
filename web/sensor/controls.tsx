import { formatDuration, formatTime } from "../format.ts";
import { Icon } from "../shell/icons.tsx";
import { usePreferences } from "../shell/preferences.ts";
import { setQuery } from "../shell/route.ts";
import { fromInput, toInput } from "./time-input.ts";
import { floorTo, type Grid, leadChoices, pan, presetsFor, type Span, type View, zoom } from "./view.ts";

/** Writes a span into the URL; null goes back to the preset. */
export function showSpan(span: Span | null): void {
  setQuery({
    from: span === null ? null : new Date(Math.round(span.from / 1000) * 1000).toISOString(),
    to: span === null ? null : new Date(Math.round(span.to / 1000) * 1000).toISOString(),
  });
}

type Props = {
  view: View;
  span: Span;
  grid: Grid;
  present: number;
  /** Origin of the forecast that is shown; null when there is none. */
  origin: number | null;
  isPaused: boolean;
  /** Whether dragging over a chart marks a stretch to be annotated, and does not zoom. */
  isMarking: boolean;
  onMarking: (isMarking: boolean) => void;
};

export function Controls(props: Props) {
  const { view, span, grid } = props;
  const center = (span.from + span.to) / 2;
  return (
    <section class="controls" aria-label="What the charts show">
      <div class="group presets">
        {presetsFor(grid).map(({ preset, label }) => (
          <button
            key={preset}
            type="button"
            class="button"
            aria-pressed={view.custom === null && view.preset === preset}
            onClick={() => setQuery({ range: preset === "fit" ? null : preset, from: null, to: null })}
            title={`The last ${label} and the horizon`}
          >
            −{label}
          </button>
        ))}
      </div>
      <div class="group">
        <IconButton icon="left" label="Earlier" onClick={() => showSpan(pan(span, -0.5))} />
        <IconButton icon="right" label="Later" onClick={() => showSpan(pan(span, 0.5))} />
        <IconButton icon="plus" label="Zoom in" onClick={() => showSpan(zoom(span, 0.5, center, grid))} />
        <IconButton icon="minus" label="Zoom out" onClick={() => showSpan(zoom(span, 2, center, grid))} />
        <IconButton
          icon="reset"
          label="Reset the time range"
          isDisabled={view.custom === null}
          onClick={() => showSpan(null)}
        />
      </div>
      <OriginPicker {...props} />
      <label class="field">
        Overlay
        <select
          value={view.lead ?? ""}
          onChange={(event) => setQuery({ lead: event.currentTarget.value === "" ? null : event.currentTarget.value })}
        >
          <option value="">no past forecasts</option>
          {leadChoices(grid).map((lead) => (
            <option key={lead} value={lead}>
              forecast {formatDuration((lead * grid.stepMs) / 1000)} earlier
            </option>
          ))}
        </select>
      </label>
      <button
        type="button"
        class="button push-right"
        aria-pressed={props.isMarking}
        title="Drag over a chart to mark a stretch; on the keyboard, m at its first and at its last point"
        onClick={() => props.onMarking(!props.isMarking)}
      >
        Mark
      </button>
      <button
        type="button"
        class="button"
        aria-pressed={view.isTable}
        onClick={() => setQuery({ view: view.isTable ? null : "table" })}
      >
        <Icon name={view.isTable ? "chart" : "table"} />
        {view.isTable ? "Show charts" : "Show as table"}
      </button>
    </section>
  );
}

/** "Forecast from": the latest, or any older origin as it was issued. */
function OriginPicker({ view, grid, present, origin, isPaused }: Props) {
  const { zone } = usePreferences();
  const newest = floorTo(present, grid.stepMs);
  const at = view.origin ?? origin ?? newest;
  const go = (to: number | null) =>
    setQuery({ origin: to === null ? null : new Date(to).toISOString(), from: null, to: null });
  return (
    <fieldset class="origin">
      <legend class="sr-only">Forecast from</legend>
      <span aria-hidden="true">Forecast from</span>
      <IconButton icon="left" label="One step earlier" onClick={() => go(at - grid.stepMs)} />
      <input
        type="datetime-local"
        aria-label={`Forecast from, ${zone === "utc" ? "UTC" : "local time"}`}
        step={grid.stepMs / 1000}
        value={toInput(at, zone)}
        onChange={(event) => {
          const chosen = fromInput(event.currentTarget.value, zone);
          if (chosen !== null) go(floorTo(chosen, grid.stepMs));
        }}
      />
      <IconButton
        icon="right"
        label="One step later"
        isDisabled={view.origin === null}
        onClick={() => go(at + grid.stepMs >= newest ? null : at + grid.stepMs)}
      />
      {view.origin === null ? (
        <span class={`live-badge${isPaused ? " is-paused" : ""}`}>{isPaused ? "Paused" : "Live"}</span>
      ) : (
        <button
          type="button"
          class="button"
          onClick={() => go(null)}
          title={`As issued ${formatTime(at, zone, "full")}`}
        >
          To live
        </button>
      )}
    </fieldset>
  );
}

function IconButton(props: {
  icon: "left" | "right" | "plus" | "minus" | "reset";
  label: string;
  isDisabled?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class="button button-icon"
      aria-label={props.label}
      title={props.label}
      disabled={props.isDisabled ?? false}
      onClick={props.onClick}
    >
      <Icon name={props.icon} />
    </button>
  );
}
