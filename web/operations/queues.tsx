import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatNumber } from "../format.ts";
import { Scrolling } from "../shell/scrolling.tsx";

/** What waits, is worked on and has failed, of each queue. */
export function Queues({ queue }: { queue: OpsResponse["queue"] }) {
  return (
    <>
      <h2>Queues</h2>
      {queue.length === 0 ? (
        <p class="muted">They are not counted here: the cloud's own page has their numbers.</p>
      ) : (
        <Scrolling label="Queues">
          <thead>
            <tr>
              <th scope="col">Queue</th>
              <th scope="col">Waiting</th>
              <th scope="col">Active</th>
              <th scope="col">Failed</th>
            </tr>
          </thead>
          <tbody>
            {queue.map(({ name, waiting, active, failed }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{formatNumber(waiting, 0)}</td>
                <td>{formatNumber(active, 0)}</td>
                <td>{formatNumber(failed, 0)}</td>
              </tr>
            ))}
          </tbody>
        </Scrolling>
      )}
    </>
  );
}
