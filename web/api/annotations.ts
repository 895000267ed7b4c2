import type { Annotation, AnnotationChange, AnnotationRequest } from "../client/client.ts";
import { type Answer, api, settle } from "./client.ts";

/** The two hundred newest of a sensor. */
export async function getAnnotations(sensorId: string, signal: AbortSignal): Promise<Answer<Annotation[]>> {
  const answer = await settle(api.get("/v1/annotations", { query: { sensorId, limit: 200 }, signal }));
  return answer.ok ? { ok: true, data: answer.data.items } : answer;
}

export function makeAnnotation(body: AnnotationRequest): Promise<Answer<Annotation>> {
  return settle(api.post("/v1/annotations", { body }));
}

export function changeAnnotation(id: string, body: AnnotationChange): Promise<Answer<Annotation>> {
  return settle(api.patch("/v1/annotations/{id}", { path: { id }, body }));
}

export function removeAnnotation(id: string): Promise<Answer<Annotation>> {
  return settle(api.delete("/v1/annotations/{id}", { path: { id } }));
}

export function restoreAnnotation(id: string): Promise<Answer<Annotation>> {
  return settle(api.post("/v1/annotations/{id}:restore", { path: { id } }));
}
