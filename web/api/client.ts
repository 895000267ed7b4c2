import type { Problem } from "../../functions/api/contract/common.ts";

/** Why an answer did not come, in words for the page. */
export type Failure = {
  kind: "unreachable" | "timeout" | "problem" | "notFound" | "signedOut" | "forbidden" | "limited";
  title: string;
  detail: string;
};
export type Answer<T> = { ok: true; data: T } | { ok: false; failure: Failure };
export type Query = Record<string, string | number | null | undefined>;

const timeoutMs = 20_000;

/** Where the API lives: the page's meta tag, else VITE_API_URL at build time, else this origin. */
export const apiUrl: string = (
  document.querySelector<HTMLMetaElement>('meta[name="api-url"]')?.content ||
  import.meta.env.VITE_API_URL ||
  ""
).replace(/\/+$/, "");

export function apiLink(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.set(name, String(value));
  }
  const search = params.toString();
  return apiUrl + path + (search === "" ? "" : `?${search}`);
}

/** GET as JSON. A failure is a value; only the caller's own abort throws. */
export function get<T>(path: string, query: Query, signal: AbortSignal): Promise<Answer<T>> {
  return ask(path, query, {}, signal);
}

/** A change, with a JSON body where there is one. A failure is a value. */
export function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<Answer<T>> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return ask(path, {}, init, new AbortController().signal);
}

async function ask<T>(path: string, query: Query, init: RequestInit, signal: AbortSignal): Promise<Answer<T>> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(apiLink(path, query), {
      signal: AbortSignal.any([signal, deadline]),
      ...init,
      headers: { accept: "application/json", ...(init.body ? { "content-type": "application/json" } : {}) },
    });
    if (response.ok) return { ok: true, data: (await response.json()) as T };
    return { ok: false, failure: await explain(response) };
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.aborted) {
      const detail = `No answer within ${timeoutMs / 1000} s from ${path}.`;
      return { ok: false, failure: { kind: "timeout", title: "The API is slow", detail } };
    }
    const where = apiUrl === "" ? location.origin : apiUrl;
    const detail = `${where} did not answer. It may be stopped, restarting, or out of reach of this browser.`;
    return { ok: false, failure: { kind: "unreachable", title: "The API cannot be reached", detail } };
  }
}

const kinds: Record<number, Failure["kind"]> = { 401: "signedOut", 403: "forbidden", 404: "notFound", 429: "limited" };

async function explain(response: Response): Promise<Failure> {
  const kind = kinds[response.status] ?? "problem";
  try {
    const problem = (await response.json()) as Problem;
    return { kind, title: problem.title, detail: problem.detail };
  } catch {
    return { kind, title: `The API answered ${response.status}`, detail: response.statusText };
  }
}
