import { decodeTensors, encodeTensors } from "../../core/model/fleet/tensor-file.ts";
import type { KeptSums, TargetSums } from "./sums.ts";
import { squareOf, triangleOf } from "./triangle.ts";

const lists = ["product", "squares", "counts", "errorSquares", "errorCounts", "penalties", "shares"] as const;

/** Sums as float32 tensors; of the gram matrices the lower triangles. */
export function encodeSums({ throughSeconds, targets }: KeptSums): Uint8Array {
  const tensors = targets.flatMap((sums, k) => [
    tensorOf(`gram.${k}`, triangleOf(sums.gram)),
    ...lists.flatMap((name) => (sums[name].length > 0 ? [tensorOf(`${name}.${k}`, sums[name])] : [])),
  ]);
  return encodeTensors(tensors, { throughSeconds: String(throughSeconds), targets: String(targets.length) });
}

/** Sums from their bytes. Throws artefactRejected for bytes that hold none. */
export function decodeSums(bytes: Uint8Array): KeptSums {
  const { metadata, tensors } = decodeTensors("a sensor's sums", bytes);
  const list = (name: string) => Float64Array.from(tensors.get(name)?.values ?? []);
  const targets = Array.from({ length: Number(metadata.targets) }, (_, k): TargetSums => {
    const gram = squareOf(list(`gram.${k}`));
    const of = (name: (typeof lists)[number]) => list(`${name}.${k}`);
    return {
      ...{ rows: gram.at(-1)!, gram, product: of("product"), squares: of("squares"), counts: of("counts") },
      ...{ errorSquares: of("errorSquares"), errorCounts: of("errorCounts") },
      ...{ penalties: of("penalties"), shares: of("shares") },
    };
  });
  return { throughSeconds: Number(metadata.throughSeconds), targets };
}

function tensorOf(name: string, values: Float64Array) {
  return { name, type: "F32" as const, dims: [values.length], values: Float32Array.from(values) };
}
