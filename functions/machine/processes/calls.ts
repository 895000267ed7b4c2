import { AppError, type ErrorCode } from "../../../core/errors.ts";
import { describeError } from "../../adapters/redact.ts";

/** What one process does for another: functions of plain values, which answer with plain values. */
export type Verbs = Record<string, (...given: never[]) => Promise<unknown>>;

/** Calls a verb of the other process. */
export type Ask<Theirs> = <Name extends keyof Theirs & string>(
  verb: Name,
  ...given: Theirs[Name] extends (...given: infer Given) => unknown ? Given : never
) => Promise<Theirs[Name] extends (...given: never[]) => Promise<infer Answer> ? Answer : never>;

/** The channel to another process, as `process` and what `fork` gives have it. */
type Channel = {
  send?(message: Message, callback: (error: Error | null) => void): unknown;
  on(event: "message", listener: (message: unknown) => void): unknown;
  on(event: "disconnect", listener: () => void): unknown;
};

type Message =
  | { ask: number; verb: string; given: unknown[] }
  | { answer: number; result: unknown }
  | { answer: number; fault: Fault };
type Fault = { code: ErrorCode; message: string; cause: unknown };

/**
 * Answers what the process at the other end asks with `own`, and asks it. A fault there is thrown here with its code;
 * once the channel has ended, whatever is and was asked is answered with `gone`.
 */
export function talkOver<Theirs>(channel: Channel, own: Verbs, gone: () => AppError): Ask<Theirs> {
  const asked = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  let isOver = false;

  function send(message: Message, failed: () => void): void {
    if (isOver) failed();
    else channel.send?.(message, (error) => error && failed());
  }

  async function answer(id: number, verb: string, given: unknown[]): Promise<void> {
    // Nobody is left to be told that the channel has ended.
    const ignore = () => undefined;
    try {
      const act = own[verb];
      if (act === undefined) throw new AppError("internal", `nobody here knows how to ${verb}`);
      send({ answer: id, result: await act(...(given as never[])) }, ignore);
    } catch (error) {
      send({ answer: id, fault: faultOf(error) }, ignore);
    }
  }

  channel.on("message", (received) => {
    // From a process of our own, started from the same files.
    const message = received as Message;
    if ("ask" in message) return void answer(message.ask, message.verb, message.given);
    const waiting = asked.get(message.answer);
    asked.delete(message.answer);
    if ("fault" in message) waiting?.reject(new AppError(message.fault.code, message.fault.message, message.fault));
    else waiting?.resolve(message.result);
  });
  channel.on("disconnect", () => {
    isOver = true;
    for (const { reject } of asked.values()) reject(gone());
    asked.clear();
  });

  return (verb, ...given) => {
    const waiting = Promise.withResolvers<unknown>();
    const id = ++count;
    asked.set(id, waiting);
    send({ ask: id, verb, given }, () => {
      asked.delete(id);
      waiting.reject(gone());
    });
    return waiting.promise as never;
  };
}

function faultOf(error: unknown): Fault {
  const known = error instanceof AppError ? error : new AppError("internal", String(error));
  return { code: known.code, message: known.message, cause: describeError(error) };
}
