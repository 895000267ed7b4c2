import * as z from "zod";
import type { Target } from "../data/reading.ts";

/**
 * The scale on which a target is learnt: its own, or the log odds of a share of 100 with softened ends, where a step
 * near the ends counts more than one in the middle, as it does for relative humidity.
 */
export const Link = z.enum(["identity", "logit"]);
export type Link = z.infer<typeof Link>;

/** Added at both ends: without it, the last per cents would count beyond all measure. */
const softness = 5;
const absurdLogOdds = 20;

/** The link of a target: logit for percentages from 0 to 100. */
export function linkOf({ unit, min, max }: Target): Link {
  return /^%/.test(unit) && min === 0 && max === 100 ? "logit" : "identity";
}

/** A value, for logit from 0 to 100, on the link's scale. NaN for NaN. */
export function toLink(link: Link, value: number): number {
  return link === "identity" ? value : Math.log((value + softness) / (100 + softness - value));
}

/**
 * The value in the target's unit; for logit it may leave 0 to 100 by the softness. NaN for log odds so large that only
 * a broken model can say them.
 */
export function fromLink(link: Link, value: number): number {
  if (link === "identity") return value;
  return Math.abs(value) > absurdLogOdds ? Number.NaN : (100 + 2 * softness) / (1 + Math.exp(-value)) - softness;
}

/** The most that the target moves, in its unit, for one on the link's scale. */
export function steepness(link: Link): number {
  return link === "identity" ? 1 : (100 + 2 * softness) / 4;
}
