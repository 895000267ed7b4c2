import * as z from "zod";

/**
 * What a key or a person may do. `read`: what was measured, forecast and learnt; `ops`: how the system is; `admin`:
 * everything.
 */
export const scopes = ["read", "forecast", "train", "promote", "alerts", "ops", "admin"] as const;
export const Scope = z.enum(scopes);
export type Scope = z.infer<typeof Scope>;

/** What a person may be, least first. */
export const roles = ["viewer", "operator", "admin"] as const;
export const Role = z.enum(roles);
export type Role = z.infer<typeof Role>;

/** The scopes of a role. */
export const scopesOf: Record<Role, readonly Scope[]> = {
  viewer: ["read", "ops"],
  operator: ["read", "forecast", "train", "promote", "alerts", "ops"],
  admin: scopes,
};

/** True when `granted` has what is wanted; `admin` has everything. */
export function allows(granted: readonly Scope[], wanted: Scope): boolean {
  return granted.includes("admin") || granted.includes(wanted);
}

/** Which values of the issuer's claim make which role; "*" stands for everybody who signs in. */
export type RoleRules = { claim: string; members: Record<Role, readonly string[]> };

/**
 * The highest role that the claims give, null when none. A claim is a text, a list of texts, or texts parted by blanks.
 */
export function roleOf(claims: Record<string, unknown>, { claim, members }: RoleRules): Role | null {
  const held = new Set(["*", ...textsOf(claims[claim])]);
  return roles.findLast((role) => members[role].some((member) => held.has(member))) ?? null;
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value, ...value.split(/\s+/)].filter((text) => text !== "" && text !== "*");
  return Array.isArray(value) ? value.filter((one) => typeof one === "string" && one !== "*") : [];
}
