// Four float32 lanes at a time: the pieces that every kernel shares.

/** a * b + c; one instruction (and one rounding) in the relaxed build, two in the simd128 build. */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

@inline export function splat(x: f32): v128 {
  return f32x4.splat(x);
}

/** Sum of the four lanes. */
@inline export function sum(x: v128): f32 {
  return f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3);
}

/** x limited to [-limit, limit]; NaN stays NaN. */
@inline export function clamp(x: v128, limit: f32): v128 {
  return f32x4.pmax(f32x4.pmin(x, splat(limit)), splat(-limit));
}

/** tanh as x P(x^2) / Q(x^2), a minimax fit on [-7.5, 7.5]: relative error 8e-8, 6e-7 where it saturates. */
@inline export function tanh(value: v128): v128 {
  const x = clamp(value, 7.5);
  const u = f32x4.mul(x, x);
  const p = madd(madd(madd(splat(1.1949796802683718e-5), u, splat(0.0029979037765206005)), u, splat(0.12968852367361913)), u, splat(0.9999999170138512));
  const q = madd(
    madd(madd(madd(splat(2.629330930291719e-7), u, splat(0.00024537564868021993)), u, splat(0.024005951396025307)), u, splat(0.4630211552402262)),
    u,
    splat(1.0),
  );
  return f32x4.div(f32x4.mul(x, p), q);
}

/** 1 / (1 + exp(-x)) as (1 + tanh(x / 2)) / 2, the halves folded into the coefficients. */
@inline export function sigmoid(value: v128): v128 {
  const x = clamp(value, 15.0);
  const u = f32x4.mul(x, x);
  const p = madd(
    madd(madd(splat((1.1949796802683718e-5 / 256) as f32), u, splat((0.0029979037765206005 / 64) as f32)), u, splat((0.12968852367361913 / 16) as f32)),
    u,
    splat((0.9999999170138512 / 4) as f32),
  );
  const q = madd(
    madd(
      madd(madd(splat((2.629330930291719e-7 / 256) as f32), u, splat((0.00024537564868021993 / 64) as f32)), u, splat((0.024005951396025307 / 16) as f32)),
      u,
      splat((0.4630211552402262 / 4) as f32),
    ),
    u,
    splat(1.0),
  );
  return f32x4.add(f32x4.div(f32x4.mul(x, p), q), splat(0.5));
}

/** exp(x) for x in [-87, 0]: 2^n times a polynomial of the rest. */
@inline export function exp(value: v128): v128 {
  const x = f32x4.pmax(value, splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(x, splat(1.4426950408889634)));
  const r = madd(n, splat(1.4286068203e-6), madd(n, splat(-0.693148612976074), x));
  let p = madd(splat(0.0013888889), r, splat(0.008333334));
  p = madd(p, r, splat(0.041666668));
  p = madd(p, r, splat(0.16666667));
  p = madd(p, r, splat(0.5));
  p = madd(p, r, splat(1.0));
  p = madd(p, r, splat(1.0));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

/** log(1 + exp(x)) = max(x, 0) + 2 atanh(y / (2 + y)), y = exp(-|x|). */
@inline export function softplus(x: v128): v128 {
  const y = exp(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(y, f32x4.add(y, splat(2.0)));
  const u = f32x4.mul(s, s);
  let p = madd(splat(0.15384616), u, splat(0.18181819));
  p = madd(p, u, splat(0.22222222));
  p = madd(p, u, splat(0.2857143));
  p = madd(p, u, splat(0.4));
  p = madd(p, u, splat(0.6666667));
  p = madd(p, u, splat(2.0));
  return madd(p, s, f32x4.max(x, splat(0.0)));
}
