import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyIdOf } from "../../../core/access/key.ts";
import { openShare, sharePrefix, signShare } from "../../../core/access/share.ts";

const key = "a key of 32 characters and more, really";
const expiresAt = new Date("2026-03-08T12:00:00Z");
const before = new Date("2026-03-08T11:59:59Z");

describe("a shared link", () => {
  it("opens to what was signed, whatever the ids hold", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), async (sensorId, target) => {
        const share = { sensorId: sensorId.toWellFormed(), target, expiresAt };
        expect(await openShare(key, await signShare(key, share), before)).toEqual({ ok: true, share });
      }),
      { numRuns: 50 },
    );
  });

  it("ends at its time, and with another key", async () => {
    const token = await signShare(key, { sensorId: "a", target: "temperature", expiresAt });
    expect(await openShare(key, token, expiresAt)).toEqual({ ok: false, fault: "expired" });
    expect(await openShare(`${key}!`, token, before)).toEqual({ ok: false, fault: "wrong" });
    expect(await openShare(`${key}!`, token, expiresAt)).toEqual({ ok: false, fault: "wrong" });
  });

  it("is good for nothing with any of its characters changed, cut off or added", async () => {
    const token = await signShare(key, { sensorId: "a", target: "temperature", expiresAt });
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === "0" ? "1" : "0";
      for (const forged of [
        token.slice(0, i) + other + token.slice(i + 1),
        token.slice(0, i),
        `${token.slice(0, i)}0${token.slice(i)}`,
      ])
        expect((await openShare(key, forged, before)).ok).toBe(false);
    }
    const [body] = token.slice(sharePrefix.length).split(".");
    for (const forged of [
      "",
      sharePrefix,
      `${sharePrefix}.`,
      `${sharePrefix}${body}.`,
      `${sharePrefix}${body}.${"0".repeat(64)}`,
    ])
      expect(await openShare(key, forged, before)).toEqual({ ok: false, fault: "wrong" });
  });

  it("is no API key", async () => {
    expect(keyIdOf(await signShare(key, { sensorId: "a", target: "t", expiresAt }))).toBeNull();
  });
});
