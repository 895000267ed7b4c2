import type { Fleet, Target } from "../core/data/reading.ts";
import { defaultScoreSettings, type ScoreSettings } from "../core/evaluation/score.ts";
import { defaultForecastSettings, type ForecastSettings } from "../core/forecast/settings.ts";
import type { ScheduleSettings } from "../core/operations/schedule.ts";
import type { ApiSettings } from "./api/services.ts";
import { type Config, cycleSecondsOf } from "./config.ts";

/** A sensor that was silent for longer is no longer scheduled. */
const activeSeconds = 7 * 86_400;

/** What the use cases take beside their ports. */
export type Settings = {
  fleet: Fleet;
  forecast: ForecastSettings;
  schedule: ScheduleSettings;
  score: ScoreSettings;
  api: ApiSettings;
};

/** The use cases' settings from the configuration and the source's targets. */
export function settingsOf(config: Config, targets: Target[], demo: { isDemo: boolean } = { isDemo: false }): Settings {
  const { stepSeconds, horizon, codeVersion, shardSize, apiKey, allowedOrigins } = config;
  const fleet = { stepSeconds, horizon, targets };
  const clockSpeed = demo.isDemo ? config.demoSpeed : 1;
  const cycleSeconds = cycleSecondsOf(config.cycleCron);
  return {
    fleet,
    forecast: { ...defaultForecastSettings(fleet, codeVersion), staleSteps: config.staleAfterSteps },
    score: defaultScoreSettings(fleet),
    schedule: { stepSeconds, shardSize, activeSeconds },
    api: {
      stepSeconds,
      cycleSeconds,
      horizon,
      targets,
      codeVersion,
      isDemo: demo.isDemo,
      clockSpeed,
      apiKey,
      allowedOrigins,
    },
  };
}
