import { gridLength } from "../../core/data/grid.ts";
import { encodePart, halvedTensors, partDims } from "../../core/model/fleet/part-file.ts";
import { toPartFile } from "../../core/model/fleet/part-tensors.ts";
import type { BuiltParts, PartsRequest } from "../../core/model/fleet/training.ts";
import { fleetPolicy } from "./policy.ts";
import { decodePrior } from "./prior-file.ts";
import { buildSensor } from "./receipts.ts";
import { isYoung, prepareSensor, sensorGrid, toMember } from "./sensor.ts";

/**
 * Parts for sensors by the network of a version that is there already: closed form, nothing is trained. A sensor whose
 * history is short leans on what the version's sensors have in common.
 */
export async function fitParts(request: PartsRequest, cpuSeconds: () => number): Promise<BuiltParts> {
  const { sensors, version, prior, now } = request;
  const { encoding, graph, fleetId } = version;
  const common = prior && decodePrior(prior);
  const made: BuiltParts = { sensors: [], refused: [] };
  for (const sensor of sensors) {
    const startedCpu = cpuSeconds();
    const grid = sensorGrid(sensor, encoding.targets, encoding.stepSeconds, now);
    const toFit = { sensorId: sensor.sensorId, mostWindows: fleetPolicy.mostWindowsJoining };
    const fitted = prepareSensor(encoding, toFit, grid, isYoung(gridLength(grid), encoding) ? common : null);
    if ("reason" in fitted) {
      made.refused.push({ sensorId: sensor.sensorId, untrained: fitted });
      continue;
    }
    const member = toMember(fitted);
    // The network has learnt nothing of its own for this sensor.
    const skip = new Float32Array(partDims(graph).skip.reduce((product, size) => product * size, 1));
    const bytes = encodePart(toPartFile(fleetId, { ...member.part, skip }), graph, halvedTensors);
    const fittedOn = { grid, leftOut: sensor.leftOut ?? [] };
    made.sensors.push(await buildSensor(request, encoding, member, fittedOn, bytes, cpuSeconds() - startedCpu));
  }
  return made;
}
