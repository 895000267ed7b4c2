import Table from "cli-table3";
import { judgeMutants } from "./gates.ts";

// npm run mutants [-- COUNT SEED]: changed artefacts, of which none may be accepted that says something else.
const [count = 10_000, seed = 1] = process.argv.slice(2).map(Number);
const tallies = await judgeMutants(count, seed);
const table = new Table({
  head: ["mutants", "refused", "accepted, the same", "accepted, altered"],
  style: { head: [] },
});
for (const { kind, refused, same, altered } of tallies) table.push([kind, refused, same, altered.length]);
console.log(table.toString());
for (const { kind, altered } of tallies)
  for (const { seed: one, why } of altered) console.log(`${kind}, seed ${one}: ${why}`);
const made = tallies.reduce((sum, { refused, same, altered }) => sum + refused + same + altered.length, 0);
const { user, system } = process.cpuUsage();
console.log(`${made} mutants, ${((user + system) / 1e6).toFixed(0)} s of CPU`);
process.exitCode = tallies.some(({ altered }) => altered.length > 0) ? 1 : 0;
