import { type Expert, experts } from "../../core/mix/experts.ts";
import type { Mix } from "../../core/mix/mix.ts";
import { shareGroups, sharesOf } from "../../core/mix/shares.ts";
import type { MixResponse } from "./contract/forecasts.ts";

/** Weights and widths as means over a few groups of leads, in thousandths: what is kept of a mix for good. */
export function toMixResponse(mix: Mix | null, leads: number[]): MixResponse | null {
  if (mix === null) return null;
  const shares = sharesOf(mix, leads).map((share) => share / 1000);
  const size = experts.length + 2;
  const groups = shareGroups(leads).map((group, i) => {
    const of = (expert: Expert) => shares[i * size + experts.indexOf(expert)]!;
    const [lower, upper] = shares.slice(i * size + experts.length, (i + 1) * size) as [number, number];
    return {
      ...group,
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
