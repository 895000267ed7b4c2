import { sha256Of } from "./key.ts";

/** What a shared link shows: one chart, until then. */
export type Share = { sensorId: string; target: string; expiresAt: Date };

/** What a shared link's token begins with; no API key does. */
export const sharePrefix = "ilps_";
/** A link is good for so long at most. */
export const mostShareSeconds = 366 * 86_400;

/**
 * A token that shows the chart to whoever has it: what it shows, and HMAC-SHA256 (RFC 2104) over that. Nothing is
 * stored: the links end with their time, or all of them with another key.
 */
export async function signShare(key: string, { sensorId, target, expiresAt }: Share): Promise<string> {
  const body = new TextEncoder().encode(JSON.stringify([sensorId, target, Math.floor(expiresAt.getTime() / 1000)]));
  const mac = await crypto.subtle.sign("HMAC", await keyOf(key), body);
  return `${sharePrefix}${toHex(body)}.${toHex(new Uint8Array(mac))}`;
}

export type OpenedShare = { ok: true; share: Share } | { ok: false; fault: "wrong" | "expired" };

/** What a token shows at `now`. That one has expired is said only of one that was good. */
export async function openShare(key: string, token: string, now: Date): Promise<OpenedShare> {
  const wrong = { ok: false, fault: "wrong" } as const;
  const [, written = "", signed = ""] = /^ilps_((?:[0-9a-f]{2})+)\.([0-9a-f]{64})$/.exec(token) ?? [];
  const body = fromHex(written);
  // The platform compares in constant time.
  if (!(await crypto.subtle.verify("HMAC", await keyOf(key), fromHex(signed), body))) return wrong;
  const [sensorId, target, expiresSeconds]: [string, string, number] = JSON.parse(new TextDecoder().decode(body));
  const expiresAt = new Date(expiresSeconds * 1000);
  return expiresAt <= now ? { ok: false, fault: "expired" } : { ok: true, share: { sensorId, target, expiresAt } };
}

/** The key for this purpose alone, whatever else the given one is used for. */
async function keyOf(key: string) {
  const own = new TextEncoder().encode(await sha256Of(`shared chart ${key}`));
  return crypto.subtle.importKey("raw", own, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
