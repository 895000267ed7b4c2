import type { Fleet, Target } from "../../core/data/reading.ts";
import { defaultForecastSettings, type ForecastSettings } from "../../core/forecast/settings.ts";
import type { AlertSettings } from "../../core/operations/alert-ports.ts";
import { defaultDriftSettings } from "../../core/operations/drift.ts";
import { ungrouped } from "../../core/operations/fleet-groups.ts";
import type { HoleSettings } from "../../core/operations/holes.ts";
import { defaultPromotionSettings, type PromotionSettings } from "../../core/operations/judge.ts";
import type { Retention } from "../../core/operations/retain.ts";
import type { RetrainSettings } from "../../core/operations/retrain.ts";
import { defaultScoreSettings, type ScoreSettings } from "../../core/operations/score.ts";
import { defaultTrainSettings, type TrainSettings } from "../../core/operations/train-settings.ts";
import type { ApiSettings } from "../api/services.ts";
import { cycleSecondsOf, timesOf } from "./cron.ts";
import type { Config } from "./environment.ts";

/** A sensor that was silent for longer is no longer scheduled. */
const activeSeconds = 7 * 86_400;

/** A model is given this long before its drift counts. */
const minimumAgeSeconds = 3 * 86_400;

/** What the use cases take beside their ports. */
export type Settings = {
  fleet: Fleet;
  forecast: ForecastSettings;
  schedule: HoleSettings;
  score: ScoreSettings;
  train: TrainSettings;
  retrain: RetrainSettings;
  promotion: PromotionSettings;
  alert: AlertSettings;
  api: ApiSettings;
};

/** How long the database keeps what. */
export function retentionOf(config: Config): Retention {
  const { mixRetentionDays: mixDays, forecastRetentionDays: forecastDays, cycleRetentionDays: cycleDays } = config;
  return { mixDays, forecastDays, cycleDays, isArchived: config.backupCron !== "never" };
}

/** The use cases' settings from the configuration and the source's targets. */
export function settingsOf(config: Config, targets: Target[], demo: { isDemo: boolean } = { isDemo: false }): Settings {
  const { stepSeconds, leads, codeVersion, shardSize, allowedOrigins, alertSecretPrefix } = config;
  const fleet = { stepSeconds, leads, targets };
  const groups = { ...ungrouped, depth: config.fleetGroups };
  const clockSpeed = demo.isDemo ? config.demoSpeed : 1;
  const cycleSeconds = cycleSecondsOf(config.cycleCron);
  const forecast = { ...defaultForecastSettings(fleet, codeVersion), staleSteps: config.staleAfterSteps };
  const { shortestSeconds, between } = timesOf(config.cycleCron);
  const holes = { cycleSeconds: shortestSeconds, expiredSteps: forecast.expiredSteps, dueSlots: between };
  return {
    fleet,
    forecast,
    score: defaultScoreSettings(fleet),
    train: defaultTrainSettings(fleet, codeVersion, groups),
    retrain: { fleet, drift: defaultDriftSettings, minimumAgeSeconds },
    promotion: defaultPromotionSettings(leads),
    alert: {
      cycleSeconds,
      wallCycleSeconds: cycleSeconds / clockSpeed,
      staleSeconds: config.staleAfterSteps * stepSeconds,
    },
    schedule: { stepSeconds, shardSize, activeSeconds, groups, ...holes },
    api: {
      stepSeconds,
      cycleSeconds,
      settleSeconds: config.settleSeconds,
      leads,
      targets,
      codeVersion,
      isDemo: demo.isDemo,
      clockSpeed,
      allowedOrigins,
      alertSecretPrefix,
      storage: { retention: retentionOf(config), limitBytes: config.databaseLimitBytes },
    },
  };
}
