import { decodeTensors, encodeTensors } from "../../core/model/fleet/tensor-file.ts";
import type { FleetPrior } from "./prior.ts";
import { squareOf, triangleOf } from "./triangle.ts";

/** A prior as tensors, of the gram matrices the lower triangles, for the sensors that will join its fleet's version. */
export function encodePrior(prior: FleetPrior): Uint8Array {
  const { linear, branch, change, equations } = prior;
  const flat = {
    ...{ linearCenter: linear.center, linearScale: linear.scale },
    ...{ branchCenter: branch.center, branchScale: branch.scale },
    ...Object.fromEntries(change.map((others, k) => [`change.${k}`, others])),
    ...Object.fromEntries(equations.map(({ gram }, k) => [`triangle.${k}`, triangleOf(gram)])),
    ...Object.fromEntries(equations.map(({ product }, k) => [`product.${k}`, product])),
    ...Object.fromEntries(lists.map((name) => [name, prior[name]])),
  };
  const tensors = Object.entries(flat).map(([name, values]) => ({
    ...{ name, type: "F32" as const, dims: [values.length] },
    values: Float32Array.from(values as ArrayLike<number>),
  }));
  return encodeTensors(tensors, { targets: String(change.length) });
}

/** The prior of a version. Throws artefactRejected for bytes that hold none. */
export function decodePrior(bytes: Uint8Array): FleetPrior {
  const { metadata, tensors } = decodeTensors("the fleet's prior", bytes);
  const list = (name: string) => Array.from(tensors.get(name)?.values ?? []);
  const perTarget = <T>(make: (k: number) => T) => Array.from({ length: Number(metadata.targets) }, (_, k) => make(k));
  return {
    linear: { center: list("linearCenter"), scale: list("linearScale") },
    branch: { center: list("branchCenter"), scale: list("branchScale") },
    change: perTarget((k) => list(`change.${k}`)),
    equations: perTarget((k) => ({
      // Priors made before have the whole matrix.
      gram: tensors.has(`gram.${k}`)
        ? Float64Array.from(list(`gram.${k}`))
        : squareOf(Float64Array.from(list(`triangle.${k}`))),
      product: Float64Array.from(list(`product.${k}`)),
    })),
    ...{ residualScale: list("residualScale"), errorScale: list("errorScale"), pathScale: list("pathScale") },
    ...{ widths: list("widths"), bands: list("bands"), constants: list("constants") },
  };
}

const lists = ["residualScale", "errorScale", "pathScale", "widths", "bands", "constants"] as const;
