import type { Scaler } from "../manifest.ts";
import type { SensorPart } from "./part.ts";
import type { PartFile } from "./part-file.ts";

/** The part as it is stored. */
export function toPartFile(fleetId: string, { sensorId, scaler, ...part }: SensorPart): PartFile {
  const { linear, branch, mean, deviation, change } = scaler;
  const scalers = {
    ...{ linearCenter: linear.center, linearScale: linear.scale },
    ...{ branchCenter: branch.center, branchScale: branch.scale, mean, deviation, change },
  };
  const named = Object.entries(scalers).map(([name, values]) => [name, Float32Array.from(values)]);
  return { sensorId, fleetId, tensors: { ...part, ...Object.fromEntries(named) } };
}

/** The part as the encoder uses it; what is missing is empty. */
export function fromPartFile({ sensorId, tensors }: PartFile): SensorPart {
  const list = (name: string) => Array.from(tensors[name] ?? []);
  const scaler: Scaler = {
    ...{ mean: list("mean"), deviation: list("deviation"), change: list("change") },
    linear: { center: list("linearCenter"), scale: list("linearScale") },
    branch: { center: list("branchCenter"), scale: list("branchScale") },
  };
  const own = (name: string) => tensors[name] ?? new Float32Array();
  return {
    ...{ sensorId, scaler, skip: own("skip"), ridge: own("ridge"), residualScale: own("residualScale") },
    ...{ widths: own("widths"), bands: own("bands"), errorScale: own("errorScale") },
    ...{ pathScale: own("pathScale"), constants: own("constants") },
  };
}
