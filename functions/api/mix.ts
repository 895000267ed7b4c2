import { type Expert, experts } from "../../core/mix/experts.ts";
import type { Mix } from "../../core/mix/mix.ts";
import type { MixResponse } from "./contract.ts";

/** Weights and widths as means over a few groups of leads: the first, then up to a quarter, a half and all of them. */
export function toMixResponse(mix: Mix | null): MixResponse | null {
  if (mix === null) return null;
  const horizon = mix.widths[0]!.length;
  const ends = [...new Set([1, Math.ceil(horizon / 4), Math.ceil(horizon / 2), horizon])];
  const groups = ends.map((end, i) => {
    const first = i === 0 ? 0 : ends[i - 1]!;
    const mean = (values: number[]) => values.slice(first, end).reduce((sum, value) => sum + value, 0) / (end - first);
    const of = (expert: Expert) => mean(mix.weights[experts.indexOf(expert)]!);
    const [lower, upper] = mix.widths.map(mean) as [number, number];
    return {
      firstLead: first + 1,
      lastLead: end,
      weights: {
        lstm: of("lstm"),
        challenger: of("challenger"),
        ridge: of("ridge"),
        climatology: of("climatology"),
        persistence: of("persistence"),
      },
      widths: { lower, upper },
    };
  });
  const { learntThrough, challengerId } = mix;
  return { learntThrough: learntThrough?.toISOString() ?? null, challengerId, groups };
}
