/** A sensor to be judged, known up to its end of validation, epoch ms; `since`: its first reading. */
export type CutSensor = { sensorId: string; since: number; validationEnd: number };

/** Sensors that share a network: all readings of all sensors end at `at`, the earliest end of validation among them. */
export type Cut = { at: number; sensorIds: string[] };

const mostSpreadMs = 3 * 86_400_000;
/** No sensor loses more of its history than this share to the others' earlier end. */
const mostShare = 0.05;

/**
 * Groups the sensors by their ends of validation: those within a few days of each other share a network. Nothing that
 * any of them measured later than the judged sensor's own end teaches it anything.
 */
export function groupCuts(sensors: CutSensor[]): Cut[] {
  const ascending = sensors.toSorted((a, b) => a.validationEnd - b.validationEnd);
  const cuts: Cut[] = [];
  for (const { sensorId, since, validationEnd } of ascending) {
    const last = cuts.at(-1);
    const loss = last ? validationEnd - last.at : 0;
    if (last && loss <= Math.min(mostSpreadMs, mostShare * (validationEnd - since))) last.sensorIds.push(sensorId);
    else cuts.push({ at: validationEnd, sensorIds: [sensorId] });
  }
  return cuts;
}
