import { AppError } from "../../core/errors.ts";
import type { FleetInference, Inference } from "../../core/model/ports.ts";
import type { ModelInput, ModelOutput } from "../../core/model/tensors.ts";

/** Inference by a function; counts its calls. */
export function functionInference(answer: (input: ModelInput) => ModelOutput): Inference & { calls: number } {
  return {
    calls: 0,
    async run(inputs) {
      this.calls++;
      return inputs.map(answer);
    },
    verify: async () => ({ ok: true }),
  };
}

/** No fleet has a network. */
export function noFleets(): FleetInference {
  const none = async () => {
    throw new AppError("notFound", "there is no fleet");
  };
  return { open: none, parts: async () => new Map(), run: none, verify: none };
}
