import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { AppError } from "../../core/errors.ts";
import { artefactDigest } from "../../core/model/artefact-digest.ts";
import type { Artefact } from "../../core/model/manifest.ts";
import type { Trust } from "../../core/model/ports.ts";
import { signedText } from "../../core/model/signature.ts";

/** A publisher's name and Ed25519 public key. */
export type Publisher = { name: string; key: KeyObject };

/** Trusts what one of `publishers` has signed; `isDemanded`: what nobody has signed is refused. */
export function publisherTrust(publishers: Publisher[], isDemanded: boolean): Trust {
  const names = publishers.map(({ name }) => name).join(", ") || "nobody";
  return {
    isDemanded,
    async check(artefact) {
      const { modelId } = artefact.manifest;
      const digest = await artefactDigest(artefact);
      if (artefact.signature === undefined) {
        return { ok: false, message: `${modelId} (digest ${digest}) bears no signature, one of ${names} is demanded` };
      }
      const text = Buffer.from(signedText(digest));
      const signature = Buffer.from(artefact.signature, "base64");
      const isSigned = publishers.some(({ key }) => verify(null, text, key, signature));
      if (isSigned) return { ok: true };
      return { ok: false, message: `${modelId} (digest ${digest}): its signature is none of ${names}` };
    },
  };
}

/**
 * A publisher's signature of an artefact in base64, with the public key as the setting wants it. Throws badInput where
 * `pem` is no Ed25519 private key.
 */
export async function signArtefact(artefact: Artefact, pem: string): Promise<{ signature: string; publicKey: string }> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new AppError("badInput", "not a private key in PEM: openssl genpkey -algorithm ed25519 makes one", {
      cause: error,
    });
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw new AppError("badInput", `a key of type ${key.asymmetricKeyType}, ed25519 is wanted`);
  }
  const text = Buffer.from(signedText(await artefactDigest(artefact)));
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).toString("base64");
  return { signature: sign(null, text, key).toString("base64"), publicKey };
}
