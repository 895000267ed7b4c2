import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export type S3StandIn = { url: string; objects: Map<string, Buffer>; stop(): void };

/** S3 as far as the model store uses it: get, put with If-None-Match and checksums, list by prefix. */
export async function startS3(): Promise<S3StandIn> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://s3");
    const key = decodeURIComponent(url.pathname.slice(1));
    const fail = (status: number, code: string) =>
      response.writeHead(status, { "content-type": "application/xml" }).end(`<Error><Code>${code}</Code></Error>`);
    const found = objects.get(key);
    const tag = (bytes: Buffer) => `"${createHash("md5").update(bytes).digest("hex")}"`;
    if (request.method === "PUT") {
      const bytes = unframe(await buffer(request), request.headers["content-encoding"]);
      if (found && request.headers["if-none-match"] === "*") return fail(412, "PreconditionFailed");
      objects.set(key, bytes);
      return response.writeHead(200, { etag: tag(bytes) }).end();
    }
    if (url.searchParams.has("list-type")) {
      const wanted = `${key.replace(/\/$/, "")}/${url.searchParams.get("prefix") ?? ""}`;
      const keys = [...objects.keys()]
        .filter((one) => one.startsWith(wanted))
        .map((one) => one.slice(one.indexOf("/") + 1));
      const contents = keys
        .sort()
        .map((one) => `<Contents><Key>${one}</Key></Contents>`)
        .join("");
      const body = `<ListBucketResult><KeyCount>${keys.length}</KeyCount><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`;
      return response.writeHead(200, { "content-type": "application/xml" }).end(body);
    }
    if (!found) return fail(404, "NoSuchKey");
    response.writeHead(200, { etag: tag(found), "content-length": found.length });
    return response.end(request.method === "HEAD" ? undefined : found);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, objects, stop: () => void server.close() };
}

/** Takes the chunks out of the SDK's streaming upload: `SIZE;…CRLF bytes CRLF`, ended by size 0 and trailers. */
function unframe(body: Buffer, encoding: string | undefined): Buffer {
  if (!encoding?.includes("aws-chunked")) return body;
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at);
    const size = Number.parseInt(body.toString("latin1", at, end), 16);
    if (!size) return Buffer.concat(chunks);
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
