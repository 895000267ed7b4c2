import type { FleetVersion } from "../../functions/api/contract/models.ts";
import { getFleets } from "../api/requests.ts";
import { formatCount, formatTime } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { ModelStatusText } from "./status.tsx";

/**
 * Versions of the fleet's networks: which one serves, which one is on trial, of which group and of how many sensors;
 * nothing before the first.
 */
export function FleetVersions() {
  const { zone } = usePreferences();
  const fleets = useLive<FleetVersion[]>("fleets", getFleets).data ?? [];
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
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
