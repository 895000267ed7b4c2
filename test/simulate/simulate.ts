import { addSeconds } from "../../core/time.ts";
import { violations } from "./invariants.ts";
import { plants } from "./plants.ts";
import { createWorld, slotAt } from "./world.ts";

const troubled = 16;
const healing = 12;

export type Run = { seed: number; violations: string[]; story: string[] };

/** One world from its seed: outages, crashes and pauses for a while, then calm, then the invariants. */
export async function simulate(seed: number, plant?: string): Promise<Run> {
  const world = createWorld(seed, troubled + healing);
  const { clock, random, story } = world;
  if (plant) plants[plant]!(world);
  await world.tick();
  for (let steps = 1; steps <= troubled; steps++) {
    const at = addSeconds(slotAt(steps), 60 + Math.floor(random() * 300));
    if (clock.now() < at) clock.set(at);
    if (random() < 0.15) {
      const away = 1 + Math.floor(random() * 9);
      story.push(`${clock.now().toISOString()} down for ${away} steps`);
      steps += away - 1;
      continue;
    }
    await world.tick();
    await world.deliver(Math.floor(random() * 12));
    if (random() < 0.15) await world.train();
    if (random() < 0.2) await world.judge();
  }
  world.heal();
  const last = Math.ceil((clock.now().getTime() - slotAt(0).getTime()) / 600_000);
  for (let steps = last; steps <= last + healing; steps++) {
    clock.set(addSeconds(slotAt(steps), 90));
    await world.tick();
    await world.deliver(10_000);
    if (steps % 4 === 0) await world.judge();
  }
  // Nothing is owed before the first cycle that was ever opened.
  const first = Math.min(...[...world.ledger.cycles.values()].map(({ slot }) => slot.getTime()));
  const all = Array.from({ length: last + healing + 1 }, (_, i) => slotAt(i));
  const slots = all.filter((slot) => slot.getTime() >= first);
  return { seed, violations: violations(world, slots, slotAt(last + healing - 4)), story };
}
