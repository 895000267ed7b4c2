import type { Migration } from "kysely/migration";
import * as forecaster from "./0001_forecaster.ts";
import * as adaptation from "./0002_adaptation.ts";
import * as challenger from "./0003_challenger.ts";
import * as access from "./0004_access.ts";
import * as holes from "./0005_holes.ts";
import * as held from "./0006_held.ts";
import * as notes from "./0007_notes.ts";
import * as issued from "./0008_issued.ts";
import * as retention from "./0009_retention.ts";
import * as digest from "./0010_digest.ts";
import * as profile from "./0011_profile.ts";
import * as leads from "./0012_leads.ts";
import * as backup from "./0013_backup.ts";
import * as alerts from "./0014_alerts.ts";
import * as fleet from "./0015_fleet.ts";
import * as state from "./0016_state.ts";
import * as days from "./0017_retention.ts";
import * as partSums from "./0018_part_sums.ts";
import * as modelPage from "./0019_model_page.ts";
import * as annotation from "./0020_annotation.ts";
import * as learnt from "./0021_learnt.ts";
import * as cycleCounts from "./0022_cycle_counts.ts";
import * as scored from "./0023_scored.ts";
import * as losses from "./0024_losses.ts";
import * as chance from "./0025_chance.ts";
import * as packed from "./0026_packed.ts";
import * as scoredMoment from "./0027_scored_moment.ts";
import * as outcomeKey from "./0028_outcome_key.ts";
import * as firstDays from "./0029_first_days.ts";
import * as neighbours from "./0030_neighbours.ts";
import * as scoreViews from "./0031_score_views.ts";
import * as middle from "./0032_middle.ts";

/** Every migration in order, listed by hand so that a bundler sees them; a merged one is never edited. */
export const migrations: Record<string, Migration> = {
  "0001_forecaster": forecaster,
  "0002_adaptation": adaptation,
  "0003_challenger": challenger,
  "0004_access": access,
  "0005_holes": holes,
  "0006_held": held,
  "0007_notes": notes,
  "0008_issued": issued,
  "0009_retention": retention,
  "0010_digest": digest,
  "0011_profile": profile,
  "0012_leads": leads,
  "0013_backup": backup,
  "0014_alerts": alerts,
  "0015_fleet": fleet,
  "0016_state": state,
  "0017_retention": days,
  "0018_part_sums": partSums,
  "0019_model_page": modelPage,
  "0020_annotation": annotation,
  "0021_learnt": learnt,
  "0022_cycle_counts": cycleCounts,
  "0023_scored": scored,
  "0024_losses": losses,
  "0025_chance": chance,
  "0026_packed": packed,
  "0027_scored_moment": scoredMoment,
  "0028_outcome_key": outcomeKey,
  "0029_first_days": firstDays,
  "0030_neighbours": neighbours,
  "0031_score_views": scoreViews,
  "0032_middle": middle,
};

/**
 * By migration, the newest migration of the oldest code that still runs on it; stored in the database, so that going
 * back a version works. Without an entry there is no way back.
 */
export const worksWith: Record<string, string> = {
  "0005_holes": holes.worksWith,
  "0006_held": "0003_challenger",
  "0007_notes": notes.worksWith,
  // It adds a column that may be null and a function: what is written without them stands.
  "0009_retention": "0008_issued",
  "0010_digest": "0009_retention",
  "0011_profile": profile.worksWith,
  "0013_backup": backup.worksWith,
  "0014_alerts": alerts.worksWith,
  "0015_fleet": fleet.worksWith,
  "0016_state": state.worksWith,
  "0018_part_sums": partSums.worksWith,
  "0019_model_page": modelPage.worksWith,
  "0020_annotation": annotation.worksWith,
  "0022_cycle_counts": cycleCounts.worksWith,
  "0024_losses": losses.worksWith,
  "0025_chance": chance.worksWith,
  "0028_outcome_key": outcomeKey.worksWith,
  "0029_first_days": firstDays.worksWith,
  "0030_neighbours": neighbours.worksWith,
  "0031_score_views": scoreViews.worksWith,
  "0032_middle": middle.worksWith,
};
