import type { Profile } from "../forecast/profile.ts";
import { addSeconds } from "../time.ts";
import type { Evidence } from "./judge.ts";
import type { NewNotice, NoticeKind, StandingChange } from "./ports.ts";
import { noSensor } from "./rule.ts";
import type { Change } from "./state.ts";
import { describeBlind, describeEvidence, nameOf } from "./words.ts";

/** One rule's step at one sensor: what it wrote down, and why. */
export type Made = { change: StandingChange; changes: Change[]; evidence: Evidence };

const kindOf: Partial<Record<Change, NoticeKind>> = {
  told: "fired",
  repeated: "repeated",
  cleared: "cleared",
  blinded: "blinded",
};

/**
 * What is to be told of it, on each of the rule's channels. Of blindness only what lasts longer than `settleSeconds`.
 */
export function noticesOf(
  { change: { rule, sensorId }, changes, evidence }: Made,
  profile: Profile | null,
  { slot, writtenAt, settleSeconds }: { slot: Date; writtenAt: Date; settleSeconds: number },
): NewNotice[] {
  const kinds = changes.flatMap((one) => kindOf[one] ?? []);
  return kinds.flatMap((kind) => {
    const what = kind === "blinded" ? describeBlind(evidence) : describeEvidence(rule.condition.kind, evidence);
    const text = `${nameOf(sensorId, profile)}: ${kind === "cleared" ? `over: ${what}` : what}`;
    const sensor =
      sensorId === noSensor
        ? null
        : { sensorId, name: profile?.name ?? null, group: profile?.group ?? null, place: profile?.place ?? null };
    return rule.channelIds.map(
      (channelId): NewNotice => ({
        channelId,
        ruleId: rule.ruleId,
        sensorId,
        dueAt: kind === "blinded" ? addSeconds(writtenAt, settleSeconds) : writtenAt,
        notice: {
          idempotencyKey: keyOf(rule.ruleId, channelId, slot, kind, sensorId),
          kind,
          at: slot.toISOString(),
          severity: rule.severity,
          rule: { ruleId: rule.ruleId, name: rule.name },
          sensor,
          text,
          evidence,
        },
      }),
    );
  });
}

/** One notice, one key: printable, whatever the sensor is called, and without the dot that signatures part by. */
function keyOf(ruleId: string, channelId: string, slot: Date, kind: NoticeKind, sensorId: string): string {
  const sensor = encodeURIComponent(sensorId.toWellFormed()).replaceAll(".", "%2E");
  return [ruleId, channelId, slot.getTime(), kind, sensor].join("_");
}
