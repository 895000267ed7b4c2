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

// tanh is x P(x^2) / Q(x^2), a minimax fit on [-7.5, 7.5] (relative error 8e-8, 6e-7 where it saturates): the limit, P
// and Q from the highest power down, then what is added. The logistic function is (1 + tanh(x / 2)) / 2, the halves
// folded in. The coefficients are loaded where they are used, because V8 builds a literal vector anew each time.
const tanhCoefficients = memory.data<f32>([
  7.5, -7.5, 1.1949796802683718e-5, 0.0029979037765206005, 0.12968852367361913, 0.9999999170138512,
  2.629330930291719e-7, 0.00024537564868021993, 0.024005951396025307, 0.4630211552402262, 1.0, 0.0,
]);
const sigmoidCoefficients = memory.data<f32>([
  15.0, -15.0, 4.667889376048327e-08, 4.6842246508134383e-05, 0.008105532729601196, 0.2499999792534628,
  1.0270823946452027e-09, 3.8339945106284364e-06, 0.0015003719622515817, 0.11575528881005655, 1.0, 0.5,
]);

@inline function rational(value: v128, table: usize): v128 {
  const x = f32x4.pmax(f32x4.pmin(value, v128.load32_splat(table)), v128.load32_splat(table + 4));
  const u = f32x4.mul(x, x);
  let p = madd(v128.load32_splat(table + 8), u, v128.load32_splat(table + 12));
  let q = madd(v128.load32_splat(table + 24), u, v128.load32_splat(table + 28));
  p = madd(p, u, v128.load32_splat(table + 16));
  q = madd(q, u, v128.load32_splat(table + 32));
  p = madd(p, u, v128.load32_splat(table + 20));
  q = madd(q, u, v128.load32_splat(table + 36));
  q = madd(q, u, v128.load32_splat(table + 40));
  return f32x4.add(f32x4.div(f32x4.mul(x, p), q), v128.load32_splat(table + 44));
}

// The same for two neighbours, stored at once: each coefficient is one load for both, so that the pair can become one
// vector.
@inline function rationalPair(to: usize, first: v128, second: v128, table: usize): void {
  const high = v128.load32_splat(table);
  const low = v128.load32_splat(table + 4);
  const xa = f32x4.pmax(f32x4.pmin(first, high), low);
  const xb = f32x4.pmax(f32x4.pmin(second, high), low);
  const ua = f32x4.mul(xa, xa);
  const ub = f32x4.mul(xb, xb);
  const p3 = v128.load32_splat(table + 8);
  const p2 = v128.load32_splat(table + 12);
  let pa = madd(p3, ua, p2);
  let pb = madd(p3, ub, p2);
  const q4 = v128.load32_splat(table + 24);
  const q3 = v128.load32_splat(table + 28);
  let qa = madd(q4, ua, q3);
  let qb = madd(q4, ub, q3);
  const p1 = v128.load32_splat(table + 16);
  pa = madd(pa, ua, p1);
  pb = madd(pb, ub, p1);
  const q2 = v128.load32_splat(table + 32);
  qa = madd(qa, ua, q2);
  qb = madd(qb, ub, q2);
  const p0 = v128.load32_splat(table + 20);
  pa = madd(pa, ua, p0);
  pb = madd(pb, ub, p0);
  const q1 = v128.load32_splat(table + 36);
  qa = madd(qa, ua, q1);
  qb = madd(qb, ub, q1);
  const q0 = v128.load32_splat(table + 40);
  qa = madd(qa, ua, q0);
  qb = madd(qb, ub, q0);
  const offset = v128.load32_splat(table + 44);
  v128.store(to, f32x4.add(f32x4.div(f32x4.mul(xa, pa), qa), offset));
  v128.store(to, f32x4.add(f32x4.div(f32x4.mul(xb, pb), qb), offset), 16);
}

@inline export function tanhPair(to: usize, first: v128, second: v128): void {
  rationalPair(to, first, second, tanhCoefficients);
}

@inline export function sigmoidPair(to: usize, first: v128, second: v128): void {
  rationalPair(to, first, second, sigmoidCoefficients);
}

@inline export function tanh(x: v128): v128 {
  return rational(x, tanhCoefficients);
}

@inline export function sigmoid(x: v128): v128 {
  return rational(x, sigmoidCoefficients);
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
