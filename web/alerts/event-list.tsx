import { useState } from "preact/hooks";
import type { Rehearsal } from "../api/alerts.ts";
import { formatDuration, formatTime } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { EventChart } from "./event-chart.tsx";

type Event = Rehearsal["events"][number];
type Words = { target: string; unit: string };

const fewest = 20;

/** Each time that it fired, or should have, newest first, with its chart behind a fold. */
export function EventList({ events, ...words }: Words & { events: Event[] }) {
  const [isWhole, setWhole] = useState(false);
  if (events.length === 0) return <p class="muted">Nothing crossed the limit, and nothing fired.</p>;
  const newest = events.toReversed();
  return (
    <div class="events">
      <h3>Events</h3>
      {(isWhole ? newest : newest.slice(0, fewest)).map((event) => (
        <EventFold key={`${event.sensorId} ${event.firedAt} ${event.from}`} event={event} {...words} />
      ))}
      {!isWhole && events.length > fewest && (
        <button type="button" class="button" onClick={() => setWhole(true)}>
          All {events.length} events
        </button>
      )}
    </div>
  );
}

const results: Record<Event["result"], string> = { true: "true", false: "false", missed: "missed", open: "not over" };

function EventFold({ event, target, unit }: Words & { event: Event }) {
  const { zone } = usePreferences();
  const [isOpen, setOpen] = useState(false);
  const ms = (at: string | null) => (at === null ? null : Date.parse(at));
  const [firedAt, from] = [ms(event.firedAt), ms(event.from)];
  const last = ms(event.to) ?? ms(event.clearedAt) ?? ms(event.forecast?.targetAt.at(-1) ?? null);
  const start = firedAt ?? from ?? 0;
  const end = Math.max(start, from ?? 0, last ?? 0);
  const time = (at: number) => formatTime(at, zone, "dayClock");
  const parts = [
    ...(firedAt === null ? [] : [`fired ${time(firedAt)}`]),
    ...(from === null ? [] : [`crossed ${time(from)}`]),
    ...(event.warningSeconds === null ? [] : [`${formatDuration(event.warningSeconds)} before`]),
  ];
  const text = `${results[event.result]}: ${event.sensorId}, ${parts.join(", ")}`;
  return (
    <details onToggle={(toggled) => setOpen(toggled.currentTarget.open)}>
      <summary>
        <b class={`result-${event.result}`}>{results[event.result]}</b> {event.sensorId}{" "}
        <span class="muted">{parts.join(", ")}</span>
      </summary>
      {isOpen && (
        <EventChart
          {...{ sensorId: event.sensorId, target, unit, limits: event.limits, forecast: event.forecast, firedAt }}
          from={start}
          to={end}
          summary={text}
        />
      )}
    </details>
  );
}
