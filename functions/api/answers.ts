import type { Context, MiddlewareHandler } from "hono";
import { LRUCache } from "lru-cache";
import { ruleOf } from "./access/guard.ts";
import { isSafe } from "./method.ts";
import type { Revision } from "./revision.ts";

type Answer = { body: Uint8Array<ArrayBuffer>; headers: Record<string, string>; tag: string };

const mostBytes = 64 * 1024 * 1024;
/** What an answer is kept with; everything else is set anew for each request. */
const keptHeaders = ["Content-Type", "Content-Encoding", "ETag"];

/**
 * Gives an answer again, compressed as it is, until the revision moves: the second who asks within a cycle costs a
 * look-up, and who has it already gets a 304. Only what the table of rules marks: answers that are the same for
 * everybody who may have them. `again` looks once more, for those who had to wait while somebody else was answered.
 */
export function keepAnswers(revision: Revision): { give: MiddlewareHandler; again: MiddlewareHandler } {
  const kept = new LRUCache<string, Answer>({ maxSize: mostBytes, sizeCalculation: ({ body }) => body.length + 1_000 });
  const keys = new WeakMap<Context, string>();
  return {
    async give(c, next) {
      if (!isSafe(c.req.method)) {
        await next();
        return revision.moved();
      }
      if (c.req.method !== "GET" || !ruleOf(c)?.isKept) return next();
      const key = `${await revision.now()} ${encodingOf(c)} ${c.req.header("Accept") ?? ""} ${urlOf(c)}`;
      const known = kept.get(key);
      if (known) return answer(c, known);
      keys.set(c, key);
      await next();
      if (c.res.status === 200) kept.set(key, await take(c));
    },
    async again(c, next) {
      const known = kept.get(keys.get(c) ?? "");
      return known ? answer(c, known) : next();
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
async function take(c: Context): Promise<Answer> {
  const body = new Uint8Array(await c.res.arrayBuffer());
  const headers = Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = c.res.headers.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  c.res = new Response(body, c.res);
  return { body, headers, tag: bare(headers.ETag ?? "") };
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
