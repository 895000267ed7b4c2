import type { Resolution } from "../../../../core/data/resolution.ts";
import type { Forecast } from "../../../../core/forecast/forecast.ts";
import { openSteps, packSteps, stepsOfLead } from "./mix-steps.ts";
import type { MixedLead } from "./mixed-lead.ts";

/*
 * Packs in steps of some leads each, one after the other, so that scoring reads, of a day of leads, the few around the
 * one that matured: the format, how many blocks there are, where each begins and the last one ends (two bytes each, the
 * higher first), then the blocks, of which each is a pack as in mix-steps.ts.
 */

/** The first byte of such a pack. */
export const blockFormat = 3;
/** Leads in a block; the last one has what is left. */
export const blockLeads = 8;

type Mixed = Pick<Forecast, "q50" | "mix" | "seasonalNaive" | "resolution">;

/** What two bytes can tell. */
const mostBytes = 65_535;
const mostBlocks = 255;

/** The pack of targets all of whose numbers are whole; all leads in one where it would be too large for blocks. */
export function packBlocks(targets: Mixed[], present: number[]): Buffer {
  const leads = targets[0]!.q50.length;
  const blocks: Buffer[] = [];
  for (let from = 0; from < leads; from += blockLeads) {
    blocks.push(packSteps(targets, present, from, Math.min(leads, from + blockLeads)));
  }
  const head = Buffer.alloc(2 + 2 * (blocks.length + 1));
  const length = blocks.reduce((sum, block) => sum + block.length, head.length);
  if (length > mostBytes || blocks.length > mostBlocks) return packSteps(targets, present, 0, leads);
  head.set([blockFormat, blocks.length]);
  let at = head.length;
  for (let b = 0; b <= blocks.length; b++) {
    head.writeUInt16BE(at, 2 + 2 * b);
    at += blocks[b]?.length ?? 0;
  }
  return Buffer.concat([head, ...blocks]);
}

/** What the pack says of target `n` at the lead in place `h`. */
export function openBlocks(
  pack: Buffer,
  leads: number,
  resolutions: (Resolution | null)[],
): (n: number, h: number) => MixedLead {
  const blocks = Array.from({ length: pack[1]! }, (_, b) =>
    openSteps(blockAt(pack, b), leadsOf(b, leads), resolutions),
  );
  return (n, h) => blocks[Math.floor(h / blockLeads)]!(n, h % blockLeads);
}

/** What one block says of every target at the lead in place `h` of all. */
export function leadOfBlock(block: Buffer, leads: number, resolutions: (Resolution | null)[], h: number): MixedLead[] {
  return stepsOfLead(block, leadsOf(Math.floor(h / blockLeads), leads), resolutions, h % blockLeads);
}

/** The block that has the lead in place `h`. */
export function blockOf(pack: Buffer, h: number): Buffer {
  return blockAt(pack, Math.floor(h / blockLeads));
}

function blockAt(pack: Buffer, b: number): Buffer {
  return pack.subarray(pack.readUInt16BE(2 + 2 * b), pack.readUInt16BE(4 + 2 * b));
}

function leadsOf(b: number, leads: number): number {
  return Math.min(blockLeads, leads - b * blockLeads);
}
