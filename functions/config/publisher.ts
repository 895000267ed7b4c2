import { createPublicKey, type KeyObject } from "node:crypto";

/** Before the 32 bytes of a key in DER (RFC 8410): algorithm Ed25519, a bit string. */
const spkiHead = Buffer.from("302a300506032b6570032100", "hex");

/**
 * A publisher from `name=key`, the Ed25519 public key in base64: its 32 bytes, or DER as openssl prints it. Null for
 * anything else.
 */
export function parsePublisher(text: string): { name: string; key: KeyObject } | null {
  const [, name, base64] = /^([\w.-]{1,64})=([A-Za-z0-9+/]+=*)$/.exec(text) ?? [];
  if (name === undefined || base64 === undefined) return null;
  const bytes = Buffer.from(base64, "base64");
  const der = bytes.length === 32 ? Buffer.concat([spkiHead, bytes]) : bytes;
  if (der.length !== spkiHead.length + 32 || !der.subarray(0, spkiHead.length).equals(spkiHead)) return null;
  try {
    return { name, key: createPublicKey({ key: der, format: "der", type: "spki" }) };
  } catch {
    return null;
  }
}
