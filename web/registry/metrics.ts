import type { Model } from "../../functions/api/contract/models.ts";

/** A model's validation metrics, a target each, in the order in which the model names its targets. */
export function metricsOf(model: Model): { target: string; metrics: Record<string, number> }[] {
  return model.targets.flatMap((target) => {
    const metrics = model.metrics[target];
    return metrics === undefined ? [] : [{ target, metrics }];
  });
}
