import type { Annotation, AnnotationChange, AnnotationKind, AnnotationRequest } from "../client/client.ts";
import { formatTime, titleOf, type Zone } from "../format.ts";
import { fromInput, toInput } from "./time-input.ts";
import { floorTo, type Span } from "./view.ts";

/** What can be said of a stretch, and what comes of it. Pure. */
export const kinds: { kind: AnnotationKind; hint: string }[] = [
  { kind: "outage", hint: "out of order or unplugged: left out" },
  { kind: "moved", hint: "not in its place: left out" },
  { kind: "calibrated", hint: "being adjusted: left out" },
  { kind: "open window", hint: "not as things use to be: left out" },
  { kind: "event", hint: "a note: nothing is left out" },
];

/** An annotation as it is typed; `to` empty: without an end, `target` empty: of all targets. */
export type Draft = { kind: AnnotationKind; target: string; from: string; to: string; text: string };

/** A stretch that was marked on the chart, to the step around it. */
export function draftOfSpan({ from, to }: Span, stepMs: number, zone: Zone): Draft {
  const end = floorTo(to + stepMs - 1, stepMs);
  return {
    ...{ kind: "outage", target: "", text: "" },
    ...{ from: toInput(floorTo(from, stepMs), zone), to: toInput(end, zone) },
  };
}

export function draftOf({ kind, target, from, to, text }: Annotation, zone: Zone): Draft {
  const end = to === null ? "" : toInput(Date.parse(to), zone);
  return { kind, target: target ?? "", from: toInput(Date.parse(from), zone), to: end, text };
}

export type Made<T> = { ok: true; body: T } | { ok: false; problem: string };

/** What is to be sent for a new one, or what is wrong with it. */
export function requestOf(sensorId: string, draft: Draft, zone: Zone): Made<AnnotationRequest> {
  const read = readTimes(draft, zone);
  if (!read.ok) return read;
  const { kind, target, text } = draft;
  return { ok: true, body: { sensorId, kind, target: target || null, text: text.trim(), ...read.body } };
}

/** Only what differs from before: what was not touched keeps its seconds. */
export function changeOf(before: Draft, draft: Draft, zone: Zone): Made<AnnotationChange> {
  const read = readTimes(draft, zone);
  if (!read.ok) return read;
  const { kind, target, text } = draft;
  return {
    ok: true,
    body: {
      ...(kind === before.kind ? {} : { kind }),
      ...(target === before.target ? {} : { target: target || null }),
      ...(text === before.text ? {} : { text: text.trim() }),
      ...(draft.from === before.from ? {} : { from: read.body.from }),
      ...(draft.to === before.to ? {} : { to: read.body.to }),
    },
  };
}

function readTimes(draft: Draft, zone: Zone): Made<{ from: string; to: string | null }> {
  const from = fromInput(draft.from, zone);
  if (from === null) return { ok: false, problem: "From: say when it began." };
  const to = draft.to === "" ? null : fromInput(draft.to, zone);
  if (to !== null && to <= from) return { ok: false, problem: "To: it must be later than From, or empty." };
  if (draft.text.trim() === "") return { ok: false, problem: "Text: say what happened, in a few words." };
  return {
    ok: true,
    body: { from: new Date(from).toISOString(), to: to === null ? null : new Date(to).toISOString() },
  };
}

/** "outage, 4 May 12:00 to 4 May 14:00, temperature: plug pulled" */
export function annotationText({ kind, target, from, to, text }: Annotation, zone: Zone): string {
  const at = (one: string) => formatTime(Date.parse(one), zone, "dayClock");
  const until = to === null ? ", without an end" : ` to ${at(to)}`;
  return `${kind}, ${at(from)}${until}${target === null ? "" : `, ${titleOf(target).toLowerCase()}`}: ${text}`;
}

/** Those of a target, or of all, that touch the span. */
export function shownOf(annotations: Annotation[], target: string, span: Span): Annotation[] {
  return annotations.filter(
    (one) =>
      (one.target === null || one.target === target) &&
      Date.parse(one.from) < span.to &&
      (one.to === null || Date.parse(one.to) > span.from),
  );
}
