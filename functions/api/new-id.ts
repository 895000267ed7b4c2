import { randomBytes } from "node:crypto";

/** A new id that nobody can guess: "rule-4fQzJ0s1aBcD". */
export function newId(what: string): string {
  return `${what}-${randomBytes(9).toString("base64url")}`;
}
