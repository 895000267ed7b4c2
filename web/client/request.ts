import { ApiError, toError } from "./problem.ts";

export type Transport = {
  fetch: typeof fetch;
  headers: Record<string, string>;
  timeoutMs: number;
  /** How often a request that was refused for now is sent again. */
  retries: number;
  /** Longer than this nobody is made to wait. */
  mostWaitMs: number;
};

export type Ask = {
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
};

const firstWaitMs = 500;
/** Sending them twice does what sending them once does. */
const repeatable = new Set(["GET", "PUT", "DELETE"]);

/**
 * Sends, and gives what `read` makes of a success or of 304. 429 came before anything was done and is sent again for
 * every method, 503 where that changes nothing: when `Retry-After` says, else after .5 s, 1 s, 2 s, ... The time
 * allowed counts anew for each try.
 */
export async function send<T>(transport: Transport, ask: Ask, read: (response: Response) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await once(transport, ask, read);
    } catch (error) {
      const waitMs = error instanceof ApiError ? waitOf(error, ask.method, attempt) : null;
      if (waitMs === null || attempt >= transport.retries || waitMs > transport.mostWaitMs) throw error;
      await wait(waitMs, ask.signal);
    }
  }
}

async function once<T>(transport: Transport, ask: Ask, read: (response: Response) => Promise<T>): Promise<T> {
  // Ends with `read`: a stream that it hands on takes as long as its reader does.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), transport.timeoutMs);
  const { method, url, body, signal } = ask;
  const where = `${method} ${new URL(url, "http://localhost").pathname}`;
  let response: Response | null = null;
  try {
    response = await transport.fetch(url, {
      method,
      headers: { ...transport.headers, ...ask.headers },
      signal: signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
      ...(body === undefined ? {} : { body }),
    });
    if (response.ok || response.status === 304) return await read(response);
    throw await toError(response, where);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    signal?.throwIfAborted();
    if (deadline.signal.aborted) throw new ApiError("timeout", `${where}: no answer within ${transport.timeoutMs} ms`);
    const [kind, words] =
      response === null
        ? (["unreachable", "could not be reached"] as const)
        : (["unreadable", `answered ${response.status} with something that cannot be read`] as const);
    throw new ApiError(kind, `${where}: ${url} ${words}`, {
      cause: error,
      ...(response && { status: response.status }),
    });
  } finally {
    clearTimeout(timer);
  }
}

/** How long to wait before the next try; null where there is none. */
function waitOf({ status, retryAfterSeconds }: ApiError, method: string, attempt: number): number | null {
  if (status !== 429 && !(status === 503 && repeatable.has(method))) return null;
  return retryAfterSeconds === null ? firstWaitMs * 2 ** attempt : retryAfterSeconds * 1000;
}

function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
