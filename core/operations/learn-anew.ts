import type { Fleet } from "../data/reading.ts";
import type { Ports } from "../ports.ts";
import { relearnSensors } from "./learn.ts";

/**
 * Learns anew, of these sensors, what was learnt while annotations left something else out, from what the experts said
 * as long as that is kept. A change of a time before that stays as it is: what was learnt then fades by itself. Doing
 * it again gives the same. How many sensors it was.
 */
export async function learnAnew(
  ports: Pick<Ports, "follower" | "scores" | "annotations" | "adaptations">,
  fleet: Fleet,
  sensorIds: string[],
  upTo: Date,
): Promise<number> {
  const { annotations, adaptations } = ports;
  const changes = await annotations.unlearnt(sensorIds);
  if (changes.length === 0) return 0;
  const bySensor = Map.groupBy(changes, ({ sensorId }) => sensorId);
  const touches = (sensorId: string, keptFrom: Date | null) =>
    keptFrom !== null && bySensor.get(sensorId)!.some(({ from, to }) => from <= upTo && (to === null || to > keptFrom));
  const learnt = await relearnSensors(ports, fleet, [...bySensor.keys()], upTo, touches);
  await adaptations.replace([...learnt.keys()], [...learnt.values()].flat());
  await annotations.learnt(changes.map(({ changeId }) => changeId));
  return learnt.size;
}
