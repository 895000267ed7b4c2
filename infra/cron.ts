import type { Cron } from "../sst.settings.ts";

/** An EventBridge expression that fires `offsetMinutes` after every step; the offset counts within the step. */
export function everyStep(stepSeconds: number, offsetMinutes: number): Cron {
  const minutes = stepSeconds / 60;
  const hours = minutes / 60;
  if (minutes === 1) return "cron(* * * * ? *)";
  if (minutes > 1 && 60 % minutes === 0 && minutes < 60) return `cron(${offsetMinutes}/${minutes} * * * ? *)`;
  if (hours >= 1 && 24 % hours === 0) {
    const every = hours < 24 ? `/${hours}` : "";
    return `cron(${offsetMinutes % 60} ${Math.floor(offsetMinutes / 60)}${every} * * ? *)`;
  }
  throw new Error(`stepSeconds ${stepSeconds}: must divide an hour in whole minutes, or be hours that divide a day`);
}
