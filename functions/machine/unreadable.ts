import { maxHeaderSize, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "../api/contract/common.ts";

type Refusal = Pick<Problem, "status" | "code" | "detail">;

/**
 * Answers what is no request that could be handed to the API (a method of no name, a length that is no number, headers
 * without end) with a problem, as everything else is; without it Node's answer has a status and no word.
 */
export function answerUnreadable(server: Server): void {
  const answering = new WeakSet<Duplex>();
  server.prependListener("request", ({ socket }, response) => {
    answering.add(socket);
    response.once("close", () => answering.delete(socket));
  });
  server.on("clientError", (error: Error & { code?: string; reason?: string }, socket) => {
    // What is being answered must not get another answer in between.
    if (error.code === "ECONNRESET" || !socket.writable || answering.has(socket)) return void socket.destroy();
    socket.end(toAnswer(refusalOf(error)));
  });
}

function refusalOf({ code = "", reason, message }: Error & { code?: string; reason?: string }): Refusal {
  if (code === "HPE_HEADER_OVERFLOW") {
    return { status: 431, code: "headersTooLarge", detail: `the headers are larger than ${maxHeaderSize} bytes` };
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return { status: 408, code: "requestTooSlow", detail: "the request did not come in time" };
  }
  return { status: 400, code: "badInput", detail: `no HTTP request that can be read: ${reason ?? message}` };
}

function toAnswer({ status, ...details }: Refusal): string {
  const title = STATUS_CODES[status] ?? "Error";
  const problem: Problem = { type: "about:blank", title, status, ...details };
  const body = JSON.stringify(problem);
  const headers = [
    `HTTP/1.1 ${status} ${title}`,
    "Content-Type: application/problem+json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Cache-Control: no-store",
    "Connection: close",
  ];
  return `${headers.join("\r\n")}\r\n\r\n${body}`;
}
