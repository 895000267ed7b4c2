import { parseArgs } from "node:util";
import { plants } from "./plants.ts";
import { simulate } from "./simulate.ts";

/**
 * npm run simulate -- --seeds N [--first S] | --seed S | --plants: exits with 1 where an invariant is broken, or a
 * planted bug not found. A long run says on stderr how far it is.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    first: { type: "string", default: "1" },
    seed: { type: "string" },
    plants: { type: "boolean", default: false },
  },
});
const cpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;

if (values.plants) {
  for (const plant of Object.keys(plants)) {
    let found = 0;
    for (let seed = 1; seed <= 500 && found === 0; seed++)
      if ((await simulate(seed, plant)).violations.length > 0) found = seed;
    console.log(found ? `found with seed ${found}: ${plant}` : `NOT FOUND in 500 seeds: ${plant}`);
    if (!found) process.exitCode = 1;
  }
} else {
  const first = Number(values.first);
  const seeds = values.seed ? [Number(values.seed)] : Array.from({ length: Number(values.seeds) }, (_, i) => first + i);
  let failed = 0;
  for (const [index, seed] of seeds.entries()) {
    if (index > 0 && index % 1_000 === 0)
      console.error(`${index} seeds, ${failed} with violations, ${cpu().toFixed(0)} s of CPU`);
    const { violations, story } = await simulate(seed);
    if (violations.length === 0) continue;
    failed++;
    console.log(`seed ${seed}: ${violations.length} violations\n  ${violations.slice(0, 5).join("\n  ")}`);
    if (failed === 1) console.log(`story (again: npm run simulate -- --seed ${seed}):\n  ${story.join("\n  ")}`);
  }
  console.log(`${seeds.length} seeds, ${failed} with violations, ${cpu().toFixed(0)} s of CPU`);
  if (failed > 0) process.exitCode = 1;
}
