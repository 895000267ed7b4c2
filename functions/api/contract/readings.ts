import { z } from "@hono/zod-openapi";
import { column, time } from "./common.ts";

export const ReadingsResponse = z
  .object({
    sensorId: z.string(),
    stepSeconds: z.int(),
    from: time,
    to: time,
    at: z.array(time),
    targets: z.array(
      z.object({
        target: z.string(),
        unit: z.string(),
        value: column,
        /** Lone readings that no forecast used: the next one did not confirm them, or has not come. Not in `value`. */
        heldBack: z.array(z.object({ at: time, value: z.number() })),
        /** The newest shift of level or unit, in a sentence. */
        shift: z.object({ at: time, text: z.string() }).nullable(),
        /**
         * Where none came, of a sensor that is used to be silent for so long: the value that forecasts take for it.
         * Null elsewhere.
         */
        standing: column,
        /** Median time between readings; null where it is not known. */
        everySeconds: z.number().nullable(),
      }),
    ),
  })
  .openapi("Readings", { description: "Grid values in (from, to]; null where nothing was measured" });
export type ReadingsResponse = z.infer<typeof ReadingsResponse>;
