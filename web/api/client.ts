import { ApiError, createClient } from "../client/client.ts";

/** Why an answer did not come, in words for the page. */
export type Failure = {
  kind: "unreachable" | "timeout" | "problem" | "notFound" | "signedOut" | "forbidden" | "limited";
  title: string;
  detail: string;
};
export type Answer<T> = { ok: true; data: T } | { ok: false; failure: Failure };

/** Where the API lives: the page's meta tag, else VITE_API_URL at build time, else this origin. */
export const apiUrl: string = (
  document.querySelector<HTMLMetaElement>('meta[name="api-url"]')?.content ||
  import.meta.env.VITE_API_URL ||
  ""
).replace(/\/+$/, "");

/** The published client. A page that is looked at tries again at its own pace, and the browser keeps answers itself. */
export const api = createClient({ url: apiUrl, retries: 0, keptAnswers: 0 });

/** Where a person's browser goes itself: a file, a page, a sign-in. */
export function apiLink(path: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return apiUrl + path + (search === "" ? "" : `?${search}`);
}

/** What was asked for as a value, also where it failed; only the caller's own abort throws. */
export async function settle<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, data: await asked };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { ok: false, failure: explain(error) };
  }
}

const kinds: Record<number, Failure["kind"]> = { 401: "signedOut", 403: "forbidden", 404: "notFound", 429: "limited" };

function explain(error: ApiError): Failure {
  const { problem, status } = error;
  if (error.kind === "timeout") return { kind: "timeout", title: "The API is slow", detail: `${error.message}.` };
  if (error.kind === "unreachable") {
    const where = apiUrl === "" ? location.origin : apiUrl;
    const detail = `${where} did not answer. It may be stopped, restarting, or out of reach of this browser.`;
    return { kind: "unreachable", title: "The API cannot be reached", detail };
  }
  const kind = kinds[status ?? 0] ?? "problem";
  if (problem !== null) return { kind, title: problem.title, detail: problem.detail };
  return { kind, title: `The API answered ${status}`, detail: error.message };
}
