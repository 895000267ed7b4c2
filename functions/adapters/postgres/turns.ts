import { setImmediate as turn } from "node:timers/promises";

/** What is opened in a few milliseconds. */
const mostAtOnce = 100;

/**
 * What each of the list opens to, one behind the other. After some of them whoever else waits for this thread has it:
 * a long answer holds up nobody who asks for a short one.
 */
export async function openInTurns<One, Opened>(list: One[], open: (one: One) => Opened[]): Promise<Opened[]> {
  const opened: Opened[] = [];
  for (let from = 0; from < list.length; from += mostAtOnce) {
    if (from > 0) await turn();
    for (const one of list.slice(from, from + mostAtOnce)) opened.push(...open(one));
  }
  return opened;
}
