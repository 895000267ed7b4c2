import type { Scope } from "./scope.ts";

/** A key as it is shown in lists: of its secret there is nothing. Null `expiresAt`: it does not expire. */
export type ApiKey = {
  keyId: string;
  name: string;
  scopes: Scope[];
  createdAt: Date;
  /** Who made it. */
  createdBy: string;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
};

/** A key as it is stored: `sha256` in hex, of the whole token. */
export type StoredKey = ApiKey & { sha256: string };

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const idLength = 12;
const secretLength = 43;
const checksumLength = 6;
/** Bytes of randomness that a key is made of: 8 for its id, 32 for its secret. */
export const keyBytes = 40;

/**
 * A new token and its id: `ilp_<id>_<secret><checksum>`, in base 62. The prefix lets scanners of code find a key that
 * leaked, the checksum tells a mistyped one without asking a database.
 */
export function makeToken(random: Uint8Array): { keyId: string; token: string } {
  if (random.length !== keyBytes)
    throw new RangeError(`a key is made of ${keyBytes} random bytes, not ${random.length}`);
  const keyId = toBase62(random.subarray(0, 8), idLength);
  const body = `ilp_${keyId}_${toBase62(random.subarray(8), secretLength)}`;
  return { keyId, token: body + checksumOf(body) };
}

/** The id in a token that is whole; null for anything else. */
export function keyIdOf(token: string): string | null {
  const match = /^(ilp_([0-9A-Za-z]{12})_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(token);
  if (match === null || checksumOf(match[1]!) !== match[3]) return null;
  return match[2]!;
}

/** SHA-256 in hex. Secrets have 256 random bits, so that a slow hash would add nothing. */
export async function sha256Of(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Random bytes as text of 43 characters and more, for what only has to be unguessable. */
export function toSecret(random: Uint8Array): string {
  return toBase62(random, Math.ceil((random.length * 8) / Math.log2(62)));
}

/** CRC-32 (IEEE 802.3) in base 62. */
function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const value = (crc ^ 0xffffffff) >>> 0;
  return toBase62(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value), checksumLength);
}

function toBase62(bytes: Uint8Array, length: number): string {
  let value = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  let text = "";
  for (; text.length < length; value /= 62n) text = alphabet[Number(value % 62n)] + text;
  return text;
}
