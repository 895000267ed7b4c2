import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";

/** What goes wrong with requests whose "METHOD /bucket/key" holds `match`, `times` times. */
export type S3Fault = { match: string; times: number; kind: 404 | 503 | "hang" | "corrupt" | "endless" | "lengthless" };

/** A stand-in for S3 in memory: Get, Put and List, conditional writes, checksums, and faults. */
export type S3StandIn = {
  endpoint: string;
  objects: Map<string, Buffer>;
  requests: string[];
  faults: S3Fault[];
  /** Of bodies without an end. */
  sentBytes(): number;
  close(): Promise<void>;
};

/** Starts it on a free port. Keys are "bucket/key". */
export async function startS3(): Promise<S3StandIn> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const faults: S3Fault[] = [];
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => fail(response, 500, "InternalError", String(error)));
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const key = decodeURIComponent(url.pathname.slice(1));
    const line = `${request.method} ${key}`;
    requests.push(line);
    const fault = faults.find((one) => one.times > 0 && line.includes(one.match));
    if (fault) fault.times--;
    if (fault?.kind === "hang") return null;
    const body = await bodyOf(request);
    if (fault?.kind === 503) return fail(response, 503, "SlowDown", "Please reduce your request rate.");
    if (fault?.kind === 404) return fail(response, 404, "NoSuchKey", "The specified key does not exist.");
    if (fault?.kind === "endless" || fault?.kind === "lengthless") return pour(response, fault.kind === "endless");
    if (request.method === "PUT") return put(request, response, key, body);
    if (request.method === "GET" && url.searchParams.has("list-type")) return list(url, key, response);
    if (request.method === "GET") return get(response, key, fault?.kind === "corrupt");
    return fail(response, 405, "MethodNotAllowed", line);
  }

  let sent = 0;
  /** Zeros for as long as somebody takes them; a terabyte of them where it has a length. */
  async function pour(response: ServerResponse, hasLength: boolean): Promise<void> {
    response.writeHead(200, { etag: '"0"', ...(hasLength ? { "content-length": 2 ** 40 } : {}) });
    const chunk = Buffer.alloc(65_536);
    while (!response.destroyed) {
      sent += chunk.length;
      if (response.write(chunk)) continue;
      await new Promise<void>((resolve) => {
        response.once("drain", resolve).once("close", resolve);
      });
    }
  }

  function put(request: IncomingMessage, response: ServerResponse, key: string, body: Body): unknown {
    const wrong = wrongChecksum(body);
    if (wrong) return fail(response, 400, "BadDigest", wrong);
    if (request.headers["if-none-match"] === "*" && objects.has(key)) {
      return fail(response, 412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    }
    objects.set(key, body.bytes);
    return response.writeHead(200, { etag: etagOf(body.bytes) }).end();
  }

  function get(response: ServerResponse, key: string, isCorrupt: boolean): unknown {
    const bytes = objects.get(key);
    if (!bytes) return fail(response, 404, "NoSuchKey", "The specified key does not exist.");
    const sent = Buffer.from(bytes);
    if (isCorrupt) sent[sent.length >> 1]! ^= 1;
    const sha256 = createHash("sha256").update(bytes).digest("base64");
    response.writeHead(200, { etag: etagOf(bytes), "content-length": sent.length, "x-amz-checksum-sha256": sha256 });
    return response.end(sent);
  }

  function list(url: URL, bucket: string, response: ServerResponse): unknown {
    const prefix = `${bucket.replace(/\/$/, "")}/${url.searchParams.get("prefix") ?? ""}`;
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    const contents = keys.map((key) => `<Contents><Key>${key.slice(key.indexOf("/") + 1)}</Key></Contents>`);
    response.writeHead(200, { "content-type": "application/xml" });
    return response.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    requests,
    faults,
    sentBytes: () => sent,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Body = { bytes: Buffer; checksums: Record<string, string> };

/** The object's bytes; of a body framed as aws-chunked, without the frames and with the checksum of its trailer. */
async function bodyOf(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const raw = Buffer.concat(parts);
  const checksums: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith("x-amz-checksum-") && typeof value === "string") checksums[name] = value;
  }
  if (!String(request.headers["content-encoding"] ?? "").includes("aws-chunked")) return { bytes: raw, checksums };
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf("\r\n", at);
    const size = Number.parseInt(raw.toString("latin1", at, end), 16);
    at = end + 2;
    if (size === 0) break;
    chunks.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  for (const line of raw.toString("latin1", at).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) checksums[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { bytes: Buffer.concat(chunks), checksums };
}

/** What disagrees; an object without any checksum is refused too. */
function wrongChecksum({ bytes, checksums }: Body): string | null {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  const made: Record<string, string> = {
    "x-amz-checksum-sha256": createHash("sha256").update(bytes).digest("base64"),
    "x-amz-checksum-crc32": crc.toString("base64"),
  };
  const given = Object.entries(checksums).filter(([name]) => name in made);
  if (given.length === 0) return "no checksum that is known here";
  const wrong = given.find(([name, value]) => made[name] !== value);
  return wrong ? `${wrong[0]} is ${wrong[1]}, ${made[wrong[0]]} expected` : null;
}

function etagOf(bytes: Buffer): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

function fail(response: ServerResponse, status: number, code: string, message: string): ServerResponse {
  response.writeHead(status, { "content-type": "application/xml" });
  return response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
}
