import { addSeconds, secondsBetween } from "../time.ts";
import { leadsOf, nearReach } from "./leads.ts";
import type { ModelManifest } from "./manifest.ts";

/** A model is made again when the history has grown by this share, though nothing drifted. */
export const renewalGrowth = 0.05;

const daySeconds = 86_400;
/** A challenger is given so many horizons to win, and a quarter of a young sensor's history at most. */
const trialHorizons = 12;
const trialShare = 0.25;

/** When the sensor of this model, champion or challenger, is to be trained again; a day later at the soonest. */
export function renewalAt(
  {
    training,
    horizon,
    leads,
    stepSeconds,
    createdAt,
  }: Pick<ModelManifest, "horizon" | "leads" | "stepSeconds" | "createdAt"> & {
    training: Pick<ModelManifest["training"], "from" | "to">;
  },
  growth: number = renewalGrowth,
): Date {
  const span = secondsBetween(new Date(training.from), new Date(training.to));
  const trial = Math.min(trialHorizons * nearReach(leadsOf({ leads, horizon })) * stepSeconds, trialShare * span);
  return addSeconds(new Date(createdAt), Math.max(daySeconds, growth * span, trial));
}

/** When a network made at `createdAt` is to be trained again as far as this sensor of it goes. */
export function networkRenewalAt(manifest: ModelManifest, createdAt: Date): Date {
  const made = createdAt.toISOString();
  return renewalAt({ ...manifest, training: { ...manifest.training, to: made }, createdAt: made });
}
