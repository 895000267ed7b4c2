import type { MiddlewareHandler } from "hono";
import { refuse } from "./problem.ts";

export type BodyLimits = { maxBytes: number; deadlineMs: number };

/**
 * Reads a body whole before anything else is done for the request: one that is too large is refused with 413, one that
 * has not come by the deadline with 408. Who sends slowly costs a socket, never one of the places in flight.
 */
export function readBodies(limits: BodyLimits): MiddlewareHandler {
  return async (c, next) => {
    const { body } = c.req.raw;
    if (body === null) return next();
    if (Number(c.req.header("Content-Length") ?? 0) > limits.maxBytes) throw tooLarge(limits);
    const bytes = await readWhole(body, limits).catch((error: unknown) => {
      // What was not read stays on the socket, which must not be used again.
      c.header("Connection", "close");
      throw error;
    });
    c.req.raw = new Request(c.req.raw, { body: bytes, signal: c.req.raw.signal });
    return next();
  };
}

async function readWhole(body: ReadableStream<Uint8Array>, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(tooSlow(limits)), limits.deadlineMs);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late.promise]);
      if (done) return Buffer.concat(chunks, length);
      length += value.length;
      if (length > limits.maxBytes) throw tooLarge(limits);
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}

function tooLarge({ maxBytes }: BodyLimits) {
  return refuse(413, { code: "bodyTooLarge", detail: `the body is larger than ${maxBytes} bytes` });
}

function tooSlow({ deadlineMs }: BodyLimits) {
  return refuse(408, { code: "bodyTooSlow", detail: `the body did not come within ${deadlineMs / 1000} s` });
}
