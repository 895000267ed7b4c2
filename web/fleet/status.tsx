import type { SensorStatus } from "../../functions/api/contract/sensors.ts";
import { Icon } from "../shell/icons.tsx";

/** In the order of urgency. */
export const allStatuses: SensorStatus[] = ["refused", "stale", "baseline", "waiting", "ok"];
export const statusWords: Record<SensorStatus, string> = {
  refused: "Refused",
  stale: "Stale",
  baseline: "Baseline",
  waiting: "Waiting",
  ok: "OK",
};

export function Status({ status }: { status: SensorStatus }) {
  return (
    <span class={`status status-${status}`}>
      <Icon name={status} />
      {statusWords[status]}
    </span>
  );
}
