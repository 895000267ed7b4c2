type Place = { x: number; y: number };

/**
 * The places moved sideways, towards the middle of `width`, until none lies within `gap` of one before it: each can
 * then be seen and clicked. Pure.
 */
export function dodge(places: Place[], width: number, gap: number): Place[] {
  const taken: Place[] = [];
  for (const { x, y } of places) {
    const step = x > width / 2 ? -1 : 1;
    let free = { x, y };
    while (taken.some((one) => Math.abs(one.x - free.x) < gap && Math.abs(one.y - free.y) < gap)) {
      free = { x: free.x + step, y };
    }
    taken.push(free);
  }
  return taken;
}
