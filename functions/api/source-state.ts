import { AppError } from "../../core/errors.ts";
import { secondsBetween } from "../../core/time.ts";
import type { OpsResponse } from "./contract/ops.ts";
import type { ApiServices } from "./services.ts";

/** The follower as it is now. A source that is away is a finding, not a failure of the page. */
export async function describeSource({ ports }: Pick<ApiServices, "ports">, now: Date): Promise<OpsResponse["source"]> {
  try {
    const { newestReadingAt, readingsAhead, isStandby, isReceiving, lagBytes } = await ports.follower.state();
    return {
      newestReadingAt: newestReadingAt?.toISOString() ?? null,
      ageSeconds: newestReadingAt === null ? null : Math.max(0, secondsBetween(newestReadingAt, now)),
      readingsAhead,
      isStandby,
      isReceiving,
      lagBytes,
      error: null,
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ports.log.warn("api.sourceUnreadable", { code: error.code, error });
    const unknown = { newestReadingAt: null, ageSeconds: null, readingsAhead: null };
    const replication = { isStandby: false, isReceiving: null, lagBytes: null };
    return { ...unknown, ...replication, error: error.code };
  }
}
