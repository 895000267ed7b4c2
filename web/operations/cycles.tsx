import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatNumber, formatTime } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Scrolling } from "../shell/scrolling.tsx";

/** How the latest slots ended. */
export function Cycles({ cycles }: { cycles: OpsResponse["cycles"] }) {
  const { zone } = usePreferences();
  const counts = ["sensors", "issued", "baseline", "refused", "expired"] as const;
  return (
    <>
      <h2>Latest slots</h2>
      {cycles.length === 0 ? (
        <p class="muted">None yet: the first comes with the next step.</p>
      ) : (
        <Scrolling label="Latest slots">
          <thead>
            <tr>
              <th scope="col">Slot</th>
              {counts.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {cycles.map((cycle) => (
              <tr key={cycle.slot}>
                <td>
                  <time dateTime={cycle.slot}>{formatTime(Date.parse(cycle.slot), zone, "full")}</time>
                </td>
                {counts.map((name) => (
                  <td key={name}>{formatNumber(cycle[name], 0)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </Scrolling>
      )}
    </>
  );
}
