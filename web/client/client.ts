import { addressOf } from "./address.ts";
import { keepAnswers } from "./kept.ts";
import { linesOf } from "./lines.ts";
import type {
  AnswerOf,
  AnyOptions,
  ItemOf,
  LineOf,
  Method,
  OptionsOf,
  PagedPath,
  PathOf,
  Rest,
  StreamPath,
} from "./operations.ts";
import { send } from "./request.ts";

export { escapeDots } from "./address.ts";
export type * from "./contract.ts";
export type {
  AnswerOf,
  ItemOf,
  LineOf,
  Method,
  OptionsOf,
  PagedPath,
  PathOf,
  QueryOf,
  StreamPath,
} from "./operations.ts";
export { ApiError, type FailureKind } from "./problem.ts";

export type ClientOptions = {
  /** Where the API is: "https://forecasts.example.com". Empty: the page's own origin. */
  url: string;
  /** An API key; without one as whoever the page's session says, or nobody. */
  key?: string;
  /** For one try; 20,000 by default. */
  timeoutMs?: number;
  /** How often what was refused for now (429, 503) is sent again; 3 by default. */
  retries?: number;
  /** The longest wait between two tries; 30,000 by default. What wants a longer one is an error at once. */
  mostWaitMs?: number;
  /** How many answers are kept for their ETag; 50 by default, 0 where the platform keeps them, as browsers do. */
  keptAnswers?: number;
  fetch?: typeof fetch;
};

/** Sends a request of one method, and gives its answer. */
export type Send<M extends Method> = <P extends PathOf<M>>(
  path: P,
  ...options: Rest<OptionsOf<M, P>>
) => Promise<AnswerOf<M, P>>;

export type Client = {
  get: Send<"get">;
  post: Send<"post">;
  put: Send<"put">;
  patch: Send<"patch">;
  delete: Send<"delete">;
  /** Every item of a list, page after page, each page as it is wanted. */
  each<P extends PagedPath>(path: P, ...options: Rest<OptionsOf<"get", P>>): AsyncGenerator<ItemOf<P>, void, undefined>;
  /** The whole answer as CSV, where the request has it. */
  csv<P extends PathOf<"get">>(path: P, ...options: Rest<OptionsOf<"get", P>>): Promise<string>;
  /** A stream's lines as they come. One that breaks off was not whole, and throws. */
  lines<P extends StreamPath>(
    path: P,
    ...options: Rest<OptionsOf<"get", P>>
  ): AsyncGenerator<LineOf<P>, void, undefined>;
};

/** The API's client. Each call gives the answer or throws an `ApiError`; an abort throws the signal's reason. */
export function createClient(options: ClientOptions): Client {
  const { url, key, timeoutMs = 20_000, retries = 3, mostWaitMs = 30_000, keptAnswers = 50 } = options;
  const transport = {
    fetch: options.fetch ?? ((...asked: Parameters<typeof fetch>) => fetch(...asked)),
    headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    ...{ timeoutMs, retries, mostWaitMs },
  };
  const kept = keepAnswers(keptAnswers);

  /** As JSON. A GET asks by ETag and gives again what it has where nothing has changed. */
  async function ask(method: Method, template: string, given: AnyOptions = {}): Promise<unknown> {
    const address = addressOf(url, template, given);
    const known = method === "get" ? kept.get(address) : undefined;
    const text = await send(
      transport,
      {
        method: method.toUpperCase(),
        url: address,
        headers: {
          accept: "application/json",
          ...(known && { "if-none-match": known.tag }),
          ...(given.body !== undefined && { "content-type": "application/json" }),
        },
        ...(given.body !== undefined && { body: JSON.stringify(given.body) }),
        ...(given.signal && { signal: given.signal }),
      },
      async (response) => {
        if (response.status === 304 && known !== undefined) return known.text;
        const read = await response.text();
        JSON.parse(read);
        if (method === "get") kept.set(address, response.headers.get("ETag"), read);
        return read;
      },
    );
    return JSON.parse(text);
  }

  async function* eachPage(template: string, given: AnyOptions = {}): AsyncGenerator<unknown[]> {
    let cursor: string | null | undefined;
    do {
      const query = cursor === undefined ? given.query : { ...given.query, cursor };
      const page = (await ask("get", template, { ...given, ...(query && { query }) })) as Page;
      yield page.items;
      cursor = page.nextCursor;
    } while (cursor !== null);
  }

  const asking =
    <M extends Method>(method: M): Send<M> =>
    (path, ...[given]) =>
      ask(method, path, given as AnyOptions) as Promise<AnswerOf<M, typeof path>>;
  const opening = (path: string, accept: string, given: AnyOptions = {}) => ({
    ...{ method: "GET", url: addressOf(url, path, given), headers: { accept } },
    ...(given.signal && { signal: given.signal }),
  });

  return {
    get: asking("get"),
    post: asking("post"),
    put: asking("put"),
    patch: asking("patch"),
    delete: asking("delete"),
    async *each<P extends PagedPath>(path: P, ...[given]: Rest<OptionsOf<"get", P>>) {
      for await (const items of eachPage(path, given as AnyOptions)) yield* items as ItemOf<P>[];
    },
    csv: (path, ...[given]) =>
      send(transport, opening(path, "text/csv", given as AnyOptions), (response) => response.text()),
    async *lines<P extends StreamPath>(path: P, ...[given]: Rest<OptionsOf<"get", P>>) {
      const asked = opening(path, "application/x-ndjson", given as AnyOptions);
      const body = await send(transport, asked, async (response) => response.body);
      if (body !== null) for await (const line of linesOf(body)) yield JSON.parse(line) as LineOf<P>;
    },
  };
}

type Page = { items: unknown[]; nextCursor: string | null };
