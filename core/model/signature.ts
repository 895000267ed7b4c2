/**
 * What a publisher signs with Ed25519 for an artefact of this digest: the text says what it is, so that a signature for
 * something else never fits.
 */
export function signedText(digest: string): string {
  return `iot-lstm-predictor artefact ${digest}`;
}
