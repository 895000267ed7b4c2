const megabyte = 2 ** 20;

/** By the end of a file's name, the first that fits. */
const limits: [RegExp, number][] = [
  [/\.onnx$/, 32 * megabyte],
  [/^manifest\.json$/, 4 * megabyte],
  [/^golden\.json$/, 16 * megabyte],
  [/^golden\.safetensors$/, 64 * megabyte],
  [/\.safetensors$/, 256 * megabyte],
  [/\.json$/, 64 * megabyte],
  [/\.txt$/, 4_096],
];
const otherBytes = 16 * megabyte;

/** Bytes that a file of the model store has at most, by its name; what is larger is refused before it is read. */
export function mostBytes(name: string): number {
  return limits.find(([ending]) => ending.test(name))?.[1] ?? otherBytes;
}
