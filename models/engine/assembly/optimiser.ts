// Updates over flat runs of parameters; count is a multiple of 4.
import { madd, splat } from "./vector";

/**
 * AdamW (Loshchilov & Hutter 2019) with beta 0.9 and 0.999, epsilon 1e-8; gradients are taken times `gradientScale` and
 * zeroed. `correction1` = 1 - 0.9^t, `correction2` = 1 - 0.999^t.
 */
export function adamw(
  parameters: usize,
  gradients: usize,
  first: usize,
  second: usize,
  count: usize,
  gradientScale: f32,
  learningRate: f32,
  weightDecay: f32,
  correction1: f32,
  correction2: f32,
): void {
  const scale = splat(gradientScale);
  const keep = splat(1.0 - learningRate * weightDecay);
  const rate = splat(-learningRate / correction1);
  const unbias = splat(1.0 / correction2);
  for (let i: usize = 0; i < count << 2; i += 16) {
    const g = f32x4.mul(v128.load(gradients + i), scale);
    const m = madd(splat(0.9), v128.load(first + i), f32x4.mul(splat(0.1), g));
    const v = madd(splat(0.999), v128.load(second + i), f32x4.mul(splat(0.001), f32x4.mul(g, g)));
    const step = f32x4.div(m, f32x4.add(f32x4.sqrt(f32x4.mul(v, unbias)), splat(1e-8)));
    v128.store(first + i, m);
    v128.store(second + i, v);
    v128.store(parameters + i, madd(rate, step, f32x4.mul(keep, v128.load(parameters + i))));
    v128.store(gradients + i, splat(0.0));
  }
}

/** average = decay average + (1 - decay) parameters. */
export function average(averages: usize, parameters: usize, count: usize, decay: f32): void {
  const keep = splat(decay);
  const take = splat(1.0 - decay);
  for (let i: usize = 0; i < count << 2; i += 16) {
    v128.store(averages + i, madd(take, v128.load(parameters + i), f32x4.mul(keep, v128.load(averages + i))));
  }
}
