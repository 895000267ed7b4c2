import { describe, expect, it } from "vitest";
import { accessMode } from "../../../core/access/actor.ts";
import { allows, roleOf, scopes, scopesOf } from "../../../core/access/scope.ts";

describe("scopes", () => {
  it("are each their own, and admin is all of them", () => {
    for (const scope of scopes) {
      expect(allows(["admin"], scope)).toBe(true);
      expect(allows([], scope)).toBe(false);
      for (const other of scopes) if (other !== "admin") expect(allows([other], scope)).toBe(other === scope);
    }
    expect(scopesOf.viewer).toEqual(["read", "ops"]);
    expect(allows(scopesOf.operator, "admin")).toBe(false);
  });
});

describe("the role that a claim makes", () => {
  const members = { viewer: ["staff"], operator: ["plant", "night shift"], admin: ["owners"] };
  const of = (claims: Record<string, unknown>, claim = "groups") => roleOf(claims, { claim, members });

  it.each<[unknown, string | null]>([
    [["staff"], "viewer"],
    [["staff", "owners"], "admin"],
    [["other"], null],
    [[], null],
    [undefined, null],
    ["plant", "operator"],
    ["staff plant", "operator"],
    ["night shift", "operator"],
    [["*"], null],
    ["*", null],
    [{ staff: true }, null],
    [[1, null, { a: "owners" }], null],
    ["OWNERS", null],
  ])("of %j is %s", (value, role) => {
    expect(of({ groups: value })).toBe(role);
  });

  it("may be everybody's", () => {
    const rules = { claim: "groups", members: { viewer: ["*"], operator: [], admin: ["owners"] } };
    expect(roleOf({}, rules)).toBe("viewer");
    expect(roleOf({ groups: ["owners"] }, rules)).toBe("admin");
  });
});

describe("what may be done without saying who one is", () => {
  const mode = (isLoopback: boolean, hasCredentials: boolean, access: "private" | "public-read" | null = null) =>
    accessMode({ isLoopback, hasCredentials, access });

  it("is everything on loopback only, and there until a credential is set", () => {
    expect([mode(true, false), mode(true, true), mode(false, true), mode(false, false)]).toEqual([
      "open",
      "public-read",
      "private",
      "private",
    ]);
  });

  it("is reading where that was opened by hand, never writing", () => {
    for (const isLoopback of [true, false])
      for (const has of [true, false]) {
        expect(mode(isLoopback, has, "public-read")).toBe("public-read");
        expect(mode(isLoopback, has, "private")).toBe("private");
      }
  });
});
