import type { Fleet, Target } from "../../core/data/reading.ts";
import { defaultForecastSettings, type ForecastSettings } from "../../core/forecast/settings.ts";
import { defaultDriftSettings } from "../../core/operations/drift.ts";
import { defaultPromotionSettings, type PromotionSettings } from "../../core/operations/judge.ts";
import type { RetrainSettings } from "../../core/operations/retrain.ts";
import type { ScheduleSettings } from "../../core/operations/schedule.ts";
import { defaultScoreSettings, type ScoreSettings } from "../../core/operations/score.ts";
import { defaultTrainSettings, type TrainSettings } from "../../core/operations/train.ts";
import type { ApiSettings } from "../api/services.ts";
import { cycleSecondsOf } from "./cron.ts";
import type { Config } from "./environment.ts";

/** A sensor that was silent for longer is no longer scheduled. */
const activeSeconds = 7 * 86_400;

/** A model is given this long before its drift counts. */
const minimumAgeSeconds = 3 * 86_400;

/** What the use cases take beside their ports. */
export type Settings = {
  fleet: Fleet;
  forecast: ForecastSettings;
  schedule: ScheduleSettings;
  score: ScoreSettings;
  train: TrainSettings;
  retrain: RetrainSettings;
  promotion: PromotionSettings;
  api: ApiSettings;
};

/** The use cases' settings from the configuration and the source's targets. */
export function settingsOf(config: Config, targets: Target[], demo: { isDemo: boolean } = { isDemo: false }): Settings {
  const { stepSeconds, horizon, codeVersion, shardSize, allowedOrigins } = config;
  const fleet = { stepSeconds, horizon, targets };
  const clockSpeed = demo.isDemo ? config.demoSpeed : 1;
  const cycleSeconds = cycleSecondsOf(config.cycleCron);
  return {
    fleet,
    forecast: { ...defaultForecastSettings(fleet, codeVersion), staleSteps: config.staleAfterSteps },
    score: defaultScoreSettings(fleet),
    train: defaultTrainSettings(fleet, codeVersion),
    retrain: { fleet, drift: defaultDriftSettings, minimumAgeSeconds },
    promotion: defaultPromotionSettings(horizon),
    schedule: { stepSeconds, shardSize, activeSeconds },
    api: {
      stepSeconds,
      cycleSeconds,
      horizon,
      targets,
      codeVersion,
      isDemo: demo.isDemo,
      clockSpeed,
      allowedOrigins,
    },
  };
}
