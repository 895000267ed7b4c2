import type { Said } from "../../core/operations/rehearse.ts";
import { secondsBetween } from "../../core/time.ts";
import { refuse } from "./problem.ts";
import type { ApiServices } from "./services.ts";

/** Two sensors' week at ten minutes; some ten seconds of a core. */
const mostSlots = 2_100;
/** A client gives up after 20 s: before that it is told that asking again will find it done. */
const waitMs = 15_000;

/**
 * Forecasts by the models that serve now, and words on what they are worth. Refuses with 422 where nobody can make them
 * or the range is too long, with 503 while they are still being made.
 */
export function overBacktest(
  { backtest, settings }: Pick<ApiServices, "backtest" | "settings">,
  { from, to }: { from: Date; to: Date },
): Said & { text(): string } {
  if (backtest === undefined) {
    const detail = "over: no models run beside this API, so that only the ledger can be rehearsed";
    throw refuse(422, { code: "badInput", detail });
  }
  const slots = Math.ceil(secondsBetween(from, to) / settings.stepSeconds);
  if (slots > mostSlots) {
    const detail = `over: a backtest goes over ${mostSlots} slots at most, [from, to) has ${slots}; ask for less`;
    throw refuse(422, { code: "badInput", detail });
  }
  let trainedTo: Date | null = null;
  return {
    mostSlots,
    async forecasts(asked) {
      const made = await Promise.race([backtest(asked), afterwards(waitMs)]);
      if (made === null) {
        throw refuse(503, {
          code: "overloaded",
          detail: "the backtest is still being computed; ask again in a moment",
        });
      }
      trainedTo = made.trainedTo;
      return made.forecasts;
    },
    text() {
      const made = "what the models that serve now would have said, from what was known at each moment";
      if (trainedTo === null) return `${made}; there is no model, so that all of it is by baselines`;
      const day = trainedTo.toISOString().slice(0, 10);
      return from < trainedTo
        ? `${made}; they were trained on readings up to ${day}, so that what lies before looks better than it would have been`
        : `${made}; they were trained on readings up to ${day}, before all of this`;
    },
  };
}

function afterwards(ms: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), ms).unref();
  });
}
