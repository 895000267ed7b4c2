import type { Operations } from "./contract.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** The paths that a method has, as the contract writes them: "/v1/sensors/{id}". */
export type PathOf<M extends Method> = keyof Operations extends infer O
  ? O extends `${M} ${infer P}`
    ? P
    : never
  : never;

type Named<M extends Method, P extends string> = `${M} ${P}` extends keyof Operations ? Operations[`${M} ${P}`] : never;
type Part<O, Name extends string> = O extends { [N in Name]: infer T } ? T : never;
type Has<Name extends string, T> = [T] extends [never]
  ? unknown
  : Record<never, never> extends T
    ? { [N in Name]?: T | undefined }
    : { [N in Name]: T };

/** What an answer holds. Where it depends on the query it is a union: tell them apart by a field. */
export type AnswerOf<M extends Method, P extends string> = Part<Named<M, P>, "answer">;

/** What a request's query may hold; null and undefined are left out of it. */
export type QueryOf<M extends Method, P extends string> = Lax<Part<Named<M, P>, "query">>;
type Lax<T> = [T] extends [never] ? never : { [K in keyof T]: T[K] | null | undefined };

/** One thing of a list's pages. */
export type ItemOf<P extends string> = AnswerOf<"get", P> extends { items: (infer T)[] } ? T : never;

/** The lists that come in pages. */
export type PagedPath = {
  [P in PathOf<"get">]: AnswerOf<"get", P> extends { items: unknown[]; nextCursor: string | null } ? P : never;
}[PathOf<"get">];

/** One line of a stream, and the paths that stream. */
export type LineOf<P extends string> = Part<Named<"get", P>, "line">;
export type StreamPath = { [P in PathOf<"get">]: [LineOf<P>] extends [never] ? never : P }[PathOf<"get">];

export type Call = {
  /** Ends the request; it then throws the signal's reason. */
  signal?: AbortSignal;
};

/** What a request needs: the values in its path, its query, its body, as far as it has them. */
export type OptionsOf<M extends Method, P extends string> = Call &
  Has<"path", Part<Named<M, P>, "path">> &
  Has<"query", QueryOf<M, P>> &
  Has<"body", Part<Named<M, P>, "body">>;

/** The options, which may be left out where the request needs none. */
export type Rest<T> = Record<never, never> extends T ? [options?: T] : [options: T];

/** The options of any request, for what sends them. */
export type AnyOptions = Call & {
  path?: Record<string, string | number>;
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
};
