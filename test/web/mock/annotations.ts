import type { z } from "zod";
import { disturbingKinds } from "../../../core/annotation/annotation.ts";
import type { AccuracyResponse } from "../../../functions/api/contract/accuracy.ts";
import {
  AnnotationChange,
  AnnotationPage,
  AnnotationRequest,
  AnnotationResponse,
} from "../../../functions/api/contract/annotations.ts";
import type { Answer, MockState, Sent } from "./state.ts";

type Annotation = z.infer<typeof AnnotationResponse>;

/** Annotations as the API keeps them; null for other paths. */
export function answerAnnotations(
  state: MockState,
  pathname: string,
  query: URLSearchParams,
  { method, body }: Sent,
): Answer | null {
  const at = new Date(state.now).toISOString();
  if (pathname === "/v1/annotations" && method === "POST") {
    const { target, to, from, ...given } = AnnotationRequest.parse(body);
    const made = { createdAt: at, createdBy: "anonymous", changedAt: at, changedBy: "anonymous", removedAt: null };
    const annotationId = `note-${state.annotations.length + 1}`;
    const one = { ...given, ...{ annotationId, target, from: iso(from)!, to: iso(to) }, ...made, disturbs: true };
    state.annotations.push(derived(one));
    return { status: 201, body: derived(one) };
  }
  if (pathname === "/v1/annotations") {
    const items = state.annotations.filter((one) => one.removedAt === null && one.sensorId === query.get("sensorId"));
    return { status: 200, body: AnnotationPage.parse({ items, nextCursor: null }) };
  }
  const [, id, verb] = /^\/v1\/annotations\/([\w-]+)(:restore)?$/.exec(pathname) ?? [];
  const index = state.annotations.findIndex(({ annotationId }) => annotationId === id);
  const before = state.annotations[index];
  if (before === undefined) return null;
  const change = method === "PATCH" ? AnnotationChange.parse(body) : {};
  const removedAt = method === "DELETE" ? at : verb === undefined ? before.removedAt : null;
  const { from = before.from, to = before.to, ...rest } = change;
  const next = { ...before, ...rest, from: iso(from)!, to: iso(to), removedAt };
  state.annotations[index] = derived(next as Annotation);
  return { status: 200, body: state.annotations[index] };
}

function derived(one: Annotation): Annotation {
  const disturbs = one.removedAt === null && disturbingKinds.includes(one.kind);
  return AnnotationResponse.parse({ ...one, disturbs });
}

function iso(text: string | null): string | null {
  return text === null ? null : new Date(text).toISOString();
}

/** The figures as if what disturbs had been half of them. */
export function withoutAnnotated(accuracy: AccuracyResponse, annotations: Annotation[]): AccuracyResponse {
  const leftOut = annotations.filter(({ sensorId, disturbs }) => disturbs && sensorId === accuracy.sensorId);
  if (leftOut.length === 0) return accuracy;
  const targets = accuracy.targets.map((one) => ({
    ...one,
    overall: one.overall && { ...one.overall, n: one.overall.n / 2 },
    withLeftOut: one.overall && { ...one.overall, mae: 2 * one.overall.mae },
  }));
  return { ...accuracy, leftOut, targets };
}
