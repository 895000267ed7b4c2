import { SingleBar } from "cli-progress";
import type { TrainProgress } from "../../core/model/training.ts";

/** A bar on a terminal, a line per sensor elsewhere; both on stderr. */
export function startProgress(sensors: number) {
  const isTerminal = process.stderr.isTTY === true;
  const shares = new Map<string, number>();
  let done = 0;
  const bar = new SingleBar({
    format: "training |{bar}| {percentage} % | {done} of {total_sensors} sensors | loss {loss} | {eta_formatted} left",
    stream: process.stderr,
    hideCursor: true,
  });
  const update = (loss: string | null) => {
    const sum = [...shares.values()].reduce((total, share) => total + share, 0);
    bar.update(Math.round(sum * 100), { done, ...(loss === null ? {} : { loss }) });
  };
  if (isTerminal) bar.start(sensors * 100, 0, { done, total_sensors: sensors, loss: "-" });
  return {
    step(sensorId: string, progress: TrainProgress) {
      shares.set(sensorId, progress.done / progress.total);
      if (isTerminal) update(progress.loss.toFixed(3));
    },
    sensorDone(sensorId: string) {
      done++;
      shares.set(sensorId, 1);
      if (isTerminal) update(null);
      else console.error(`${sensorId}: done (${done} of ${sensors})`);
    },
    stop() {
      if (isTerminal) bar.stop();
    },
  };
}
