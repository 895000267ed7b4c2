import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU in hundredths of a second. */
const tickMs = 10;

/** Of all children of ours with this name, themselves and what ended. */
export function cpuMsOfChildren(name: string): number {
  const stats = readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      return [{ pid, name: stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")")), fields: fieldsOf(pid) }];
    } catch {
      return [];
    }
  });
  const isOurs = (pid: string): boolean => {
    const own = stats.find((one) => one.pid === pid);
    return own !== undefined && (own.pid === String(process.pid) || isOurs(own.fields[1]!));
  };
  const ticks = stats
    .filter((one) => one.name === name && isOurs(one.pid))
    .flatMap(({ fields }) => [11, 12, 13, 14].map((i) => Number(fields[i])));
  return ticks.reduce((sum, tick) => sum + tick, 0) * tickMs;
}

/** Of the whole process, its threads included. */
export function cpuMsOfProcess(pid: string | number): number {
  const fields = fieldsOf(pid);
  return tickMs * (Number(fields[11]) + Number(fields[12]));
}

/** What stands behind the command's name: state, parent and so on. */
export function fieldsOf(pid: string | number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
