import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { AppError } from "../../core/errors.ts";

/** Closes texts so that only who has the key can read them; `owner` is bound in: moved elsewhere they do not open. */
export type Seal = {
  close(text: string, owner: string): Buffer;
  /** Throws misconfigured where the key is another one, or the bytes were changed. */
  open(sealed: Buffer, owner: string): string;
};

const [version, nonceBytes, tagBytes] = [1, 12, 16];

/** AES-256-GCM under the SHA-256 of `key`; with a key of null nothing can be closed, which says what to set. */
export function sealWith(key: string | null): Seal {
  const secret = () => {
    if (key !== null) return createHash("sha256").update(key).digest();
    throw new AppError("misconfigured", "ALERT_SECRET_KEY is not set: channels' secrets cannot be stored or read");
  };
  return {
    close(text, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", secret(), nonce).setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.from([version]), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, owner) {
      const nonce = sealed.subarray(1, 1 + nonceBytes);
      const tag = sealed.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes);
      const key = secret();
      try {
        const cipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
        cipher.setAAD(Buffer.from(owner)).setAuthTag(tag);
        const body = sealed.subarray(1 + nonceBytes + tagBytes);
        return Buffer.concat([cipher.update(body), cipher.final()]).toString("utf8");
      } catch (cause) {
        const text = `the secret of channel ${owner} cannot be read: ALERT_SECRET_KEY is not the one it was stored with`;
        throw new AppError("misconfigured", text, { cause });
      }
    },
  };
}
