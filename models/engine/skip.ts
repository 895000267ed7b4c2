import type { NetworkShape } from "../layout.ts";
import { featureCount } from "../layout.ts";
import type { Engine } from "./engine.ts";
import { type Part, type Pass, pad, paddedOutputs, panelPlace, zero } from "./part.ts";

/**
 * Each target's own linear features to the middle of its own leads, by the row's sensor's own weights; starts at zero.
 * The rows of a sensor are gathered, so that its weights are read once for four rows of a batch in any order.
 */
export function createSkip({ kernels, floats }: Engine, shape: NetworkShape): Part {
  const { targets, linear, horizon, sensors } = shape;
  const width = pad(horizon);
  const matrix = linear * width;
  const stride = pad(featureCount(shape));
  const outputs = paddedOutputs(shape);
  const linears = targets * linear;
  const middles = targets * width;

  /** Visits the rows of each sensor of the batch, in the order of the sensors. */
  function forEachSensor(sensor: Int32Array, visit: (rows: number[], sensor: number) => void): void {
    const rowsOf = new Map<number, number[]>();
    for (const [row, of] of sensor.entries()) {
      const rows = rowsOf.get(of);
      if (rows) rows.push(row);
      else rowsOf.set(of, [row]);
    }
    for (const [of, rows] of [...rowsOf].sort(([a], [b]) => a - b)) visit(rows, of);
  }

  /**
   * Copies the first `columns` of rows at `from`, `fromStride` apart, close together to `to`, and zero rows up to a
   * multiple of 4.
   */
  function gather(to: number, columns: number, from: number, fromStride: number, rows: number[]): void {
    const target = floats(to, pad(rows.length) * columns);
    for (const [i, row] of rows.entries()) target.set(floats(from + 4 * row * fromStride, columns), i * columns);
    target.fill(0, rows.length * columns);
  }

  function scratch({ rows, work }: Pass) {
    return { x: work, y: work + 4 * rows * linears };
  }

  function products(
    weights: number,
    x: number,
    xStride: number,
    y: number,
    yStride: number,
    rows: number,
    add: boolean,
  ) {
    for (let target = 0; target < targets; target++) {
      const w = weights + 4 * target * matrix;
      const [from, to] = [x + 4 * target * linear, y + 4 * target * width];
      kernels.multiply(to, yStride, from, xStride, w, 0, rows, linear, width, add);
    }
  }

  function gradientProducts(dw: number, x: number, xStride: number, dy: number, yStride: number, rows: number) {
    for (let target = 0; target < targets; target++) {
      const to = dw + 4 * target * matrix;
      const [from, by] = [x + 4 * target * linear, dy + 4 * target * width];
      kernels.multiplyGradient(to, from, xStride, by, yStride, rows, linear, width);
    }
  }

  return {
    tensors: [
      {
        name: "skip.weight",
        place: (index) => {
          const row = Math.floor(index / horizon);
          return Math.floor(row / linear) * matrix + panelPlace(row % linear, index % horizon, linear, width);
        },
        start: zero,
      },
    ],
    floats: sensors * targets * matrix,
    workFloats: (rows) => (sensors === 1 ? 0 : rows * (linears + middles)),
    forward(pass) {
      const { rows, parameters, features, out } = pass;
      if (sensors === 1) return products(parameters, features, stride, out, outputs, rows, true);
      const { x, y } = scratch(pass);
      forEachSensor(pass.sensor, (own, sensor) => {
        gather(x, linears, features, stride, own);
        products(parameters + 4 * sensor * targets * matrix, x, linears, y, middles, pad(own.length), false);
        const values = floats(y, own.length * middles);
        for (const [i, row] of own.entries()) {
          const sum = floats(out + 4 * row * outputs, middles);
          for (let j = 0; j < middles; j++) sum[j] = sum[j]! + values[i * middles + j]!;
        }
      });
    },
    backward(pass) {
      const { rows, gradients, features, out } = pass;
      if (sensors === 1) return gradientProducts(gradients, features, stride, out, outputs, rows);
      const { x, y } = scratch(pass);
      forEachSensor(pass.sensor, (own, sensor) => {
        gather(x, linears, features, stride, own);
        gather(y, middles, out, outputs, own);
        const dw = gradients + 4 * sensor * targets * matrix;
        gradientProducts(dw, x, linears, y, middles, pad(own.length));
      });
    },
  };
}
