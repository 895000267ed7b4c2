import type { FleetVersion } from "../../functions/api/contract/models.ts";
import { promoteFleet, rollBackFleet } from "../api/models.ts";
import { getFleets } from "../api/requests.ts";
import { formatCount, formatTime } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Act } from "./act.tsx";
import { ModelStatusText } from "./status.tsx";

/**
 * Versions of the fleet's networks: which one serves, which one is on trial, of which group and of how many sensors;
 * nothing before the first.
 */
export function FleetVersions() {
  const { zone } = usePreferences();
  const live = useLive<FleetVersion[]>("fleets", getFleets);
  const fleets = live.data ?? [];
  if (fleets.length === 0) return null;
  const hasGroups = fleets.some(({ group }) => group !== "");
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus
    <section class="fleet-wrap table-scroll" tabIndex={0} aria-label="Versions of the fleet's network">
      <table class="plain numeric models">
        <caption>Versions of the fleet's network</caption>
        <thead>
          <tr>
            <th scope="col">Version</th>
            {hasGroups && <th scope="col">Group</th>}
            <th scope="col">Status</th>
            <th scope="col">Why</th>
            <th scope="col">Made</th>
            <th scope="col">Serves</th>
            <th scope="col">On trial at</th>
            <th scope="col">What can be done</th>
          </tr>
        </thead>
        <tbody>
          {fleets.map((fleet) => (
            <tr key={fleet.fleetId}>
              <th scope="row">
                <code title={fleet.digest}>{fleet.fleetId}</code>
              </th>
              {hasGroups && <td>{fleet.group || "all others"}</td>}
              <td>
                <ModelStatusText status={fleet.status} />
              </td>
              <td class="wrap">{fleet.statusReason}</td>
              <td>{formatTime(Date.parse(fleet.createdAt), zone, "dayClock")}</td>
              <td>{formatCount(fleet.champions)} sensors</td>
              <td>{formatCount(fleet.challengers)} sensors</td>
              <td class="wrap">
                <FleetAct fleet={fleet} onDone={live.retry} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function FleetAct({ fleet: { fleetId, status }, onDone }: { fleet: FleetVersion; onDone: () => void }) {
  const isServing = status === "champion";
  return (
    <Act
      label={isServing ? "Roll back" : "Promote"}
      object={fleetId}
      scope="promote"
      consequence={
        isServing
          ? "The version before it will serve all of its sensors again."
          : "It will serve all of its sensors from their next forecast on."
      }
      act={(reason) => (isServing ? rollBackFleet(fleetId, reason) : promoteFleet(fleetId, reason))}
      done={isServing ? "The version before it serves again." : "It serves now."}
      onDone={onDone}
    />
  );
}
