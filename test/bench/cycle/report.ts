import type { Measured } from "./stages.ts";

/** One pass over `sensors`, rounded for people. */
export function summary(measured: Measured, sensors: number) {
  const { wallMs, cpuMs, postgresCpuMs, followerCpuMs, stages } = measured;
  const rounded = Object.entries(stages).map(([name, cost]) => [
    name,
    { wallMs: round(cost.wallMs), cpuMs: round(cost.cpuMs) },
  ]);
  return {
    sensors,
    wallMs: round(wallMs),
    cpuMs: round(cpuMs),
    postgresCpuMs: round(postgresCpuMs),
    postgresCpuMsPerSensor: round(postgresCpuMs / sensors),
    followerCpuMsPerSensor: round(followerCpuMs / sensors),
    wallMsPerSensor: round(wallMs / sensors),
    cpuMsPerSensor: round(cpuMs / sensors),
    sensorsPerSecond: round((1000 * sensors) / wallMs),
    stages: Object.fromEntries(rounded) as Record<string, { wallMs: number; cpuMs: number }>,
  };
}

/** The pass whose CPU time is the middle one. */
export function median(passes: Measured[]): Measured {
  const sorted = passes.toSorted((a, b) => a.cpuMs - b.cpuMs);
  return sorted[Math.floor(sorted.length / 2)]!;
}

/** Three significant digits. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
