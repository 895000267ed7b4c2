import { type IncomingMessage, maxHeaderSize, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Problem } from "../api/contract/common.ts";

type Refusal = Pick<Problem, "status" | "code" | "detail">;

/**
 * Answers what is no request that could be handed to the API (a method of no name, a length that is no number, headers
 * without end) with a problem, as everything else is; without it Node's answer has a status and no word.
 */
export function answerUnreadable(server: Server): void {
  const underWay = new WeakMap<Duplex, { request: IncomingMessage; response: ServerResponse }>();
  server.prependListener("request", (request, response) => {
    const { socket } = request;
    const own = { request, response };
    underWay.set(socket, own);
    response.once("close", () => {
      if (underWay.get(socket) === own) underWay.delete(socket);
    });
  });
  server.on("clientError", (error: Error & { code?: string; reason?: string }, socket) => {
    const last = underWay.get(socket);
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    if (last?.request.complete) {
      // What follows a whole request, as a body of no stated length does, is heard by nobody: that one has its answer,
      // and is told once, however much follows.
      if (!last.response.shouldKeepAlive) return;
      last.response.shouldKeepAlive = false;
      return void last.response.once("close", () => last.request.socket.destroySoon());
    }
    if (last?.response.headersSent) return void socket.destroy();
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
