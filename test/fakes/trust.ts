import type { Trust } from "../../core/model/ports.ts";

/** No signature is asked for, and none is known. */
export function noTrust(): Trust {
  return { isDemanded: false, check: async () => ({ ok: false, message: "nobody is trusted" }) };
}
