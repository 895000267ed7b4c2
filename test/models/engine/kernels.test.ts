import { describe, expect, test } from "vitest";
import type { EngineBuild } from "../../../models/engine/engine.ts";
import { loadEngine } from "../../../models/engine/load.ts";
import { panelPlace } from "../../../models/engine/part.ts";
import { buildUniform, relativeDifference } from "./builders.ts";

const engines = [
  ["simd128", false],
  ["simd128", true],
  ["relaxed", false],
  ["relaxed", true],
] as [EngineBuild, boolean][];

/** An engine with arrays in its memory: `put` copies values in, `get` reads them out. */
function createBench(build: EngineBuild, wide: boolean) {
  const engine = loadEngine(build, wide);
  const random = buildUniform(7);
  const put = (values: ArrayLike<number>) => {
    const at = engine.reserve(values.length);
    engine.floats(at, values.length).set(Array.from(values));
    return at;
  };
  const get = (at: number, count: number) => Array.from(engine.floats(at, count));
  const draw = (count: number) => Array.from({ length: count }, () => Math.fround(random()));
  return { kernels: engine.kernels, put, get, draw };
}

/** A row-major [depth, width] matrix in panels. */
function pack(matrix: number[], depth: number, width: number): number[] {
  const packed = new Array<number>(matrix.length).fill(0);
  for (const [i, value] of matrix.entries()) packed[panelPlace(Math.floor(i / width), i % width, depth, width)] = value;
  return packed;
}

/** a [rows, depth] times b [depth, width] in float64. */
function product(a: number[], b: number[], rows: number, depth: number, width: number): number[] {
  return Array.from({ length: rows * width }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < depth; k++)
      sum += (a[Math.floor(i / width) * depth + k] ?? 0) * (b[k * width + (i % width)] ?? 0);
    return sum;
  });
}

const turn = (matrix: number[], rows: number, width: number) =>
  Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * width + Math.floor(i / rows)] ?? 0);

describe.each(engines)("%s kernels, wide %s", (build, wide) => {
  test.each([
    [4, 1, 4],
    [8, 7, 8],
    [12, 5, 12],
    [4, 33, 16],
    [20, 10, 28],
    [8, 3, 40],
  ])("products of %i x %i x %i, their gradient and the transpose", (rows, depth, width) => {
    const { kernels, put, get, draw } = createBench(build, wide);
    const [x, w, bias, start] = [draw(rows * depth), draw(depth * width), draw(width), draw(rows * width)];
    const [xAt, wAt, y] = [put(x), put(pack(w, depth, width)), put(start)];
    const expected = product(x, w, rows, depth, width);

    kernels.multiply(y, width, xAt, depth, wAt, put(bias), rows, depth, width, true);
    const summed = expected.map((value, i) => value + (bias[i % width] ?? 0) + (start[i] ?? 0));
    expect(relativeDifference(get(y, rows * width), summed)).toBeLessThan(1e-6);
    kernels.multiply(y, width, xAt, depth, wAt, 0, rows, depth, width, false);
    expect(relativeDifference(get(y, rows * width), expected)).toBeLessThan(1e-6);

    const dw = put(new Array<number>(depth * width).fill(1));
    kernels.multiplyGradient(dw, xAt, depth, put(start), width, rows, depth, width);
    const gradient = product(turn(x, rows, depth), start, depth, rows, width).map((value) => value + 1);
    expect(relativeDifference(get(dw, depth * width), pack(gradient, depth, width))).toBeLessThan(1e-6);

    const db = put(bias);
    kernels.biasGradient(db, put(start), width, rows, width);
    const columns = product(new Array<number>(rows).fill(1), start, 1, rows, width);
    expect(
      relativeDifference(
        get(db, width),
        columns.map((value, i) => value + (bias[i] ?? 0)),
      ),
    ).toBeLessThan(1e-6);

    const count = depth - (depth % 4);
    const turned = put(new Array<number>(count * width).fill(0));
    kernels.transpose(turned, wAt, depth, width, depth - count, count);
    expect(get(turned, count * width)).toEqual(
      pack(turn(w.slice((depth - count) * width), count, width), width, count),
    );
  });

  test("SiLU and its slope over the whole range", () => {
    const { kernels, put, get } = createBench(build, wide);
    const x = Array.from({ length: 400 }, (_, i) => (i - 200) / 8);
    const ones = put(x.map(() => 1));
    const [xAt, y, dx] = [put(x), put(x), put(x)];
    kernels.siluForward(y, xAt, ones, x.length);
    kernels.siluBackward(dx, ones, xAt, ones, x.length);
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    for (const [i, v] of x.entries()) {
      expect(get(y, x.length)[i]).toBeCloseTo(v * sigmoid(v), 4);
      expect(get(dx, x.length)[i]).toBeCloseTo(sigmoid(v) * (1 + v * (1 - sigmoid(v))), 4);
    }
  });

  test("the tanh embedding and finite differences of it", () => {
    const { kernels, put, get, draw } = createBench(build, wide);
    const [rows, width, units] = [3, 4, 2];
    const x = draw(rows * width).map((v) => 3 * v);
    const parameters = { scale: draw(units * width), centre: draw(units * width) };
    const dy = draw(rows * units * width);
    const forward = () =>
      dy.map((_, i) => {
        const [row, at] = [Math.floor(i / (units * width)), i % (units * width)];
        const offset = (x[row * width + (at % width)] ?? 0) - (parameters.centre[at] ?? 0);
        return Math.tanh((parameters.scale[at] ?? 0) * offset);
      });
    const weighted = () => forward().reduce((sum, value, i) => sum + value * (dy[i] ?? 0), 0);
    const [xAt, scale, centre] = [put(x), put(parameters.scale), put(parameters.centre)];
    const [y, dScale, dCentre] = [put(dy), put(dy.map(() => 0)), put(dy.map(() => 0))];
    kernels.embedForward(y, xAt, scale, centre, rows, width, units);
    expect(relativeDifference(get(y, dy.length), forward())).toBeLessThan(1e-6);
    kernels.embedBackward(dScale, dCentre, put(dy), y, xAt, scale, centre, rows, width, units);
    for (const [key, at] of [
      ["scale", dScale],
      ["centre", dCentre],
    ] as const) {
      const slopes = parameters[key].map((value, i) => {
        parameters[key][i] = value + 1e-6;
        const above = weighted();
        parameters[key][i] = value - 1e-6;
        const below = weighted();
        parameters[key][i] = value;
        return (above - below) / 2e-6;
      });
      expect(relativeDifference(get(at, slopes.length), slopes)).toBeLessThan(1e-5);
    }
  });

  test("widths are softplus from far below to far above zero", () => {
    const { kernels, put, get } = createBench(build, wide);
    const x = Array.from({ length: 100 }, (_, i) => i - 60);
    const out = put([...x.map(() => 2), ...x, ...x]);
    kernels.quantiles(out, put(new Array<number>(300).fill(0)), 1, 100, 1);
    for (const [i, v] of x.entries()) {
      const width = v > 30 ? v : Math.log1p(Math.exp(v));
      expect(Math.abs((get(out, 300)[100 + i] ?? 0) - (2 - width))).toBeLessThan(4e-7 * Math.max(2, width));
      expect(Math.abs((get(out, 300)[200 + i] ?? 0) - (2 + width))).toBeLessThan(4e-7 * Math.max(2, width));
    }
  });

  test("the pinball loss and its gradient are those worked out by hand", () => {
    const { kernels, put, get } = createBench(build, wide);
    // One row of four leads: wanted 1, -3, 0 (on the median) and missing; both widths softplus(0) = ln 2.
    const [out, wanted] = [put(new Array<number>(12).fill(0)), put([1, -3, 0, Number.NaN])];
    const total = kernels.pinball(
      out,
      put(new Array<number>(12).fill(0)),
      wanted,
      put([0.1, 0, 0, 0]),
      put(new Array<number>(16).fill(0)),
      1,
      4,
      1,
      1,
    );
    const ln2 = Math.log(2);
    const high = 0.1 * (1 + ln2) + 0.5 + 0.9 * (1 - ln2);
    const low = 0.9 * (3 - ln2) + 1.5 + 0.1 * (3 + ln2);
    expect(total).toBeCloseTo(high + low + 0.2 * ln2, 5);
    const [a, b, c, d] = get(out, 12);
    expect(a).toBeCloseTo(-0.1 - 0.5 - 0.9, 6);
    expect(b).toBeCloseTo(0.9 + 0.5 + 0.1, 6);
    expect(c).toBeCloseTo(0, 6);
    expect(d).toBe(0);
    const halves = get(out, 12).slice(4);
    for (const [i, value] of [0.05, -0.45, 0.05, 0, -0.45, 0.05, 0.05, 0].entries())
      expect(halves[i]).toBeCloseTo(value, 6);
  });
});
