import { someSlot } from "../builders.ts";
import { memoryAdaptations } from "./adaptations.ts";
import { memoryAnnotations } from "./annotations.ts";
import { testClock } from "./clock.ts";
import { memoryFollower } from "./follower.ts";
import { functionInference, noFleets } from "./inference.ts";
import { memoryLedger } from "./ledger.ts";
import { quietLog } from "./log.ts";
import { memoryProfiles } from "./profiles.ts";
import { memoryQueue } from "./queue.ts";
import { memoryRegistry } from "./registry.ts";

/**
 * The ports of a cycle in memory, with no sensor and no model, but for what the test brings as its `own`; who brings a
 * ledger brings the scores too.
 */
export function cyclePorts<Own extends object>(own: Own) {
  const ledger = memoryLedger();
  return {
    clock: testClock(someSlot),
    log: quietLog(),
    follower: memoryFollower(new Map()),
    profiles: memoryProfiles(),
    registry: memoryRegistry(),
    inference: functionInference(() => ({ ok: false, reason: "modelRejected", message: "there is none" })),
    fleetInference: noFleets(),
    ledger,
    scores: ledger,
    adaptations: memoryAdaptations(),
    annotations: memoryAnnotations(),
    queue: memoryQueue(),
    ...own,
  };
}
