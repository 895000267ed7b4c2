import type { Context, MiddlewareHandler } from "hono";
import { LRUCache } from "lru-cache";
import { ruleOf } from "./access/guard.ts";
import { isSafe } from "./method.ts";
import type { Revision } from "./revision.ts";

type Answer = { revision: string; body: Uint8Array<ArrayBuffer>; headers: Record<string, string>; tag: string };

/** So many of those who find an answer outdated make it anew at once; the others are given what there is. */
const mostRenewals = 2;
const mostBytes = 64 * 1024 * 1024;
/** What an answer is kept with; everything else is set anew for each request. */
const keptHeaders = ["Content-Type", "Content-Encoding", "ETag"];

/**
 * Gives an answer again, compressed as it is, until the revision moves: the second who asks within a cycle costs a
 * look-up, and who has it already gets a 304. Once it has moved, few at a time make their answers anew, and the others
 * are given those of the revision before. Only what the table of rules marks: answers that are the same for everybody
 * who may have them. `again` looks once more, for those who had to wait while somebody else was answered.
 */
export function keepAnswers(revision: Revision): { give: MiddlewareHandler; again: MiddlewareHandler } {
  const kept = new LRUCache<string, Answer>({ maxSize: mostBytes, sizeCalculation: ({ body }) => body.length + 1_000 });
  const wanted = new WeakMap<Context, { key: string; revision: string }>();
  const renewals = new Set<string>();
  return {
    async give(c, next) {
      if (!isSafe(c.req.method)) {
        await next();
        return revision.moved();
      }
      if (c.req.method !== "GET" || !ruleOf(c)?.isKept) return next();
      const { revision: now, before } = await revision.now();
      const key = `${encodingOf(c)} ${c.req.header("Accept") ?? ""} ${urlOf(c)}`;
      const known = kept.get(key);
      if (known?.revision === now) return answer(c, known);
      const isUsable = known !== undefined && known.revision === before;
      if (isUsable && (renewals.has(key) || renewals.size >= mostRenewals)) return answer(c, known);
      if (isUsable) renewals.add(key);
      wanted.set(c, { key, revision: now });
      try {
        await next();
        if (c.res.status === 200) kept.set(key, await take(c, now));
      } finally {
        if (isUsable) renewals.delete(key);
      }
    },
    async again(c, next) {
      const { key = "", revision: now } = wanted.get(c) ?? {};
      const known = kept.get(key);
      return known && known.revision === now ? answer(c, known) : next();
    },
  };
}

function urlOf(c: Context): string {
  return c.req.url.slice(c.req.url.indexOf("/", "https://".length));
}

function encodingOf(c: Context): string {
  const accepted = c.req.header("Accept-Encoding") ?? "";
  return ["gzip", "deflate"].find((encoding) => accepted.includes(encoding)) ?? "";
}

/** The answer as it was made; the response goes on with the same bytes. */
async function take(c: Context, revision: string): Promise<Answer> {
  const body = new Uint8Array(await c.res.arrayBuffer());
  const headers = Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = c.res.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  c.res = new Response(body, c.res);
  return { revision, body, headers, tag: bare(headers.ETag ?? "") };
}

function answer(c: Context, { body, headers, tag }: Answer): Response {
  const asked: string[] = c.req.header("If-None-Match")?.match(/"[^"]*"/g) ?? [];
  if (tag !== "" && asked.includes(tag)) {
    c.header("ETag", headers.ETag);
    return c.body(null, 304);
  }
  return c.body(body, 200, headers);
}

function bare(tag: string): string {
  return tag.replace(/^W\//, "");
}
