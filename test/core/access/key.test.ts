import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyBytes, keyIdOf, makeToken, sha256Of } from "../../../core/access/key.ts";

const bytes = fc.uint8Array({ minLength: keyBytes, maxLength: keyBytes });

describe("a key's token", () => {
  it("has the form that scanners look for, and gives its id back", () => {
    fc.assert(
      fc.property(bytes, (random) => {
        const { keyId, token } = makeToken(random);
        expect(token).toMatch(/^ilp_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
        expect(keyIdOf(token)).toBe(keyId);
      }),
    );
  });

  it("is different for different bytes, also at the ends of what there are", () => {
    const [none, all] = [new Uint8Array(keyBytes), new Uint8Array(keyBytes).fill(255)];
    expect(keyIdOf(makeToken(none).token)).toBe("0".repeat(12));
    expect(keyIdOf(makeToken(all).token)).not.toBeNull();
    fc.assert(
      fc.property(bytes, fc.nat(keyBytes - 1), fc.integer({ min: 1, max: 255 }), (random, at, change) => {
        const other = Uint8Array.from(random, (byte, i) => (i === at ? byte ^ change : byte));
        expect(makeToken(other).token).not.toBe(makeToken(random).token);
      }),
    );
    expect(() => makeToken(new Uint8Array(8))).toThrow(/40 random bytes, not 8/);
  });

  it("is told from a mistyped one: any one character changed, two swapped, one left out", () => {
    fc.assert(
      fc.property(bytes, fc.nat(65), fc.constantFrom("a", "Z", "7", "_"), (random, at, character) => {
        const { token } = makeToken(random);
        const mistyped = [
          token.slice(0, at) + character + token.slice(at + 1),
          token.slice(0, at) + (token[at + 1] ?? "") + (token[at] ?? "") + token.slice(at + 2),
          token.slice(0, at) + token.slice(at + 1),
        ];
        for (const text of mistyped) if (text !== token) expect(keyIdOf(text)).toBeNull();
      }),
    );
    for (const text of ["", "ilp_", "ilp__", "Bearer", `${makeToken(new Uint8Array(keyBytes)).token}\n`]) {
      expect(keyIdOf(text)).toBeNull();
    }
  });

  it("is stored as SHA-256, as the standard has it", async () => {
    expect(await sha256Of("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });
});
