import { join } from "node:path";
import type { Clock } from "../core/ports.ts";
import { openDatabase } from "../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../functions/adapters/postgres/schema.ts";
import { postgresFollower } from "../functions/adapters/postgres/source/follower.ts";
import { runVerify } from "../functions/commands/verify.ts";
import { readConfig } from "../functions/config/environment.ts";
import { settingsOf } from "../functions/config/settings.ts";
import { parseSource, toTargets } from "../functions/config/source.ts";
import { openStore } from "../functions/runtime/models.ts";
import { predictorPorts } from "../functions/runtime/predictor.ts";

type Verified = {
  predictorUrl: string;
  followerUrl: string;
  clock: Pick<Clock, "now">;
  /** The folder of the models; one that is empty when left out. */
  modelStore?: string;
  environment?: Record<string, string>;
};

/** What `npm run verify` prints of the databases, every rule over every slot; empty where it finds nothing. */
export async function findingsOf({ predictorUrl, followerUrl, clock, ...rest }: Verified): Promise<string> {
  const source = parseSource({});
  const modelStore = rest.modelStore ?? join(import.meta.dirname, "no-models");
  const config = readConfig({
    ...{ PREDICTOR_DATABASE_URL: predictorUrl, FOLLOWER_DATABASE_URL: followerUrl, MODEL_STORE: modelStore },
    ...rest.environment,
  });
  const [predictor, follower] = [
    openDatabase<PredictorSchema>({ url: predictorUrl, side: "predictor", max: 2, statementTimeoutMs: 60_000 }),
    openDatabase<unknown>({ url: followerUrl, side: "follower", max: 2, statementTimeoutMs: 60_000 }),
  ];
  try {
    const store = await openStore(config);
    const ports = {
      ...{
        ...predictorPorts(predictor),
        clock: { ...clock, sleepUntil: async () => {} },
        store,
        fleetFiles: store.files,
      },
      follower: postgresFollower(follower, source, clock),
    };
    const args = ["--from", "2000-01-01", "--sample", "500"];
    const { ok, text } = await runVerify(ports, settingsOf(config, toTargets(source)), args);
    return ok ? "" : text;
  } finally {
    await Promise.all([predictor.close(), follower.close()]);
  }
}
