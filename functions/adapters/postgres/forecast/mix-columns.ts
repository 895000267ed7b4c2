import type { Selectable } from "kysely";
import { experts } from "../../../../core/mix/experts.ts";
import { leanOf } from "../../../../core/mix/middle.ts";
import type { Mix } from "../../../../core/mix/mix.ts";
import type { PredictorSchema } from "../schema.ts";

type MixColumns = Pick<
  Selectable<PredictorSchema["forecast"]>,
  "mix_through" | "mix_experts" | "mix_weights" | "mix_widths" | "mix_challenger_id"
>;

const quantiles = ["q10", "q50", "q90"] as const;
const sides = 2;

/** A forecast's mix as flat arrays, lead by lead. */
export function toMixColumns(mix: Mix | null): MixColumns {
  if (mix === null) {
    return { mix_through: null, mix_experts: null, mix_weights: null, mix_widths: null, mix_challenger_id: null };
  }
  const flat = <T>(valuesAt: (h: number) => T[]) => mix.widths[0]!.flatMap((_, h) => valuesAt(h));
  return {
    mix_through: mix.learntThrough,
    mix_experts: flat((h) => mix.experts.flatMap((one) => quantiles.map((level) => one?.[level][h] ?? null))),
    mix_weights: flat((h) => mix.weights.map((weights) => weights[h]!)),
    mix_widths: flat((h) => mix.widths.map((factors) => factors[h]!)),
    mix_challenger_id: mix.challengerId,
  };
}

/** The mix that `toMixColumns` stored, equal in every bit: a real comes back as the shortest text that means it. */
export function toMix(row: MixColumns): Mix | null {
  const { mix_experts: triples, mix_weights: weights, mix_widths: widths } = row;
  if (triples === null || weights === null || widths === null) return null;
  // Rows of before challengers took part have one expert less.
  const known = (weights.length * sides) / widths.length;
  const size = quantiles.length * known;
  const every = (values: (number | null)[], stride: number, offset: number) =>
    values.flatMap((value, i) => (i % stride === offset && value !== null ? [Math.fround(value)] : []));
  const expert = (k: number) => {
    const [q10, q50, q90] = quantiles.map((_, q) => every(triples, size, quantiles.length * k + q));
    return q50!.length === 0 ? null : { q10: q10!, q50: q50!, q90: q90! };
  };
  const [lower, upper] = Array.from({ length: sides }, (_, side) => every(widths, sides, side)) as [number[], number[]];
  return {
    experts: experts.map((_, k) => (k < known ? expert(k) : null)),
    weights: experts.map((_, k) => (k < known ? every(weights, known, k) : noWeights(widths))),
    widths: [lower, upper],
    middle: lower.map((factor, h) => leanOf(factor, upper[h]!)),
    learntThrough: row.mix_through,
    challengerId: row.mix_challenger_id,
  };
}

function noWeights(widths: number[]): number[] {
  return new Array<number>(widths.length / sides).fill(0);
}
