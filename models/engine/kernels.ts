type Pointer = number;

export type WasmMemory = { readonly buffer: ArrayBuffer; grow(pages: number): number };

/** The part of the WebAssembly API that is used here; the types of Node and of ES do not have it. */
export type WasmApi = {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/**
 * Exports of the wasm modules; what each does stands in models/engine/assembly. Pointers are byte addresses, strides
 * and counts in floats.
 */
export type Kernels = {
  memory: WasmMemory;
  setWide(on: boolean): void;
  multiply(
    y: Pointer,
    yStride: number,
    x: Pointer,
    xStride: number,
    w: Pointer,
    bias: Pointer,
    rows: number,
    depth: number,
    width: number,
    add: boolean,
  ): void;
  multiplyGradient(
    dw: Pointer,
    x: Pointer,
    xStride: number,
    dy: Pointer,
    yStride: number,
    rows: number,
    depth: number,
    width: number,
  ): void;
  biasGradient(db: Pointer, dy: Pointer, yStride: number, rows: number, width: number): void;
  transpose(to: Pointer, w: Pointer, depth: number, width: number, from: number, count: number): void;
  squaredNorm(x: Pointer, count: number): number;
  lstmInput(
    inputs: Pointer,
    cells: Pointer,
    sequence: Pointer,
    stride: number,
    rows: number,
    steps: number,
    channels: number,
    hidden: number,
  ): void;
  lstmForward(
    w: Pointer,
    inputs: Pointer,
    gates: Pointer,
    cells: Pointer,
    squashed: Pointer,
    rows: number,
    steps: number,
    channels: number,
    hidden: number,
  ): void;
  lstmBackward(
    dw: Pointer,
    recurrent: Pointer,
    inputs: Pointer,
    gates: Pointer,
    cells: Pointer,
    squashed: Pointer,
    dh: Pointer,
    dCells: Pointer,
    dGates: Pointer,
    rows: number,
    steps: number,
    channels: number,
    hidden: number,
  ): void;
  clip(y: Pointer, x: Pointer, count: number, limit: number): void;
  fill(x: Pointer, count: number, value: number): void;
  siluForward(y: Pointer, x: Pointer, mask: Pointer, count: number): void;
  siluBackward(dx: Pointer, dy: Pointer, x: Pointer, mask: Pointer, count: number): void;
  dropout(mask: Pointer, count: number, probability: number, state: Pointer): void;
  embedForward(
    y: Pointer,
    x: Pointer,
    scale: Pointer,
    centre: Pointer,
    rows: number,
    width: number,
    units: number,
  ): void;
  embedBackward(
    dScale: Pointer,
    dCentre: Pointer,
    dy: Pointer,
    y: Pointer,
    x: Pointer,
    scale: Pointer,
    centre: Pointer,
    rows: number,
    width: number,
    units: number,
  ): void;
  quantiles(out: Pointer, widths: Pointer, rows: number, width: number, sides: number): void;
  pinball(
    out: Pointer,
    widths: Pointer,
    wanted: Pointer,
    levels: Pointer,
    slopes: Pointer,
    rows: number,
    width: number,
    sides: number,
    scale: number,
  ): number;
  adamw(
    parameters: Pointer,
    gradients: Pointer,
    first: Pointer,
    second: Pointer,
    count: number,
    gradientScale: number,
    learningRate: number,
    weightDecay: number,
    correction1: number,
    correction2: number,
  ): void;
  average(averages: Pointer, parameters: Pointer, count: number, decay: number): void;
};
