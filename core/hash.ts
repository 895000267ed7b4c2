/**
 * FNV-1a over the UTF-16 units, an unsigned 32-bit number: for keys and seeds, no safeguard against anybody (Fowler,
 * Noll & Vo).
 */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
