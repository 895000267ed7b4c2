import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatBytes, formatNumber, plural } from "../format.ts";
import { Scrolling } from "../shell/scrolling.tsx";

/** What is kept how long, and when the next of it goes. */
export function Storage({ storage: { tables, archived, freedPerDay } }: { storage: OpsResponse["storage"] }) {
  if (tables.length === 0) return null;
  return (
    <>
      <h2>Storage</h2>
      <p class="muted">
        {plural(archived.days, "day")} archived, {formatBytes(archived.bytes)}; retention frees{" "}
        {formatBytes(freedPerDay)} within a day.
      </p>
      <Scrolling label="Storage">
        <thead>
          <tr>
            <th scope="col">Table</th>
            <th scope="col">Kept</th>
            <th scope="col">Days</th>
            <th scope="col">Bytes</th>
            <th scope="col">Oldest</th>
            <th scope="col">Goes</th>
          </tr>
        </thead>
        <tbody>
          {tables.map(({ table, keptDays, days, bytes, oldestDay, goesAt, goesBytes }) => (
            <tr key={table}>
              <td>{table}</td>
              <td>{plural(keptDays, "day")}</td>
              <td>{formatNumber(days, 0)}</td>
              <td>{formatBytes(bytes)}</td>
              <td>{oldestDay}</td>
              <td>
                {goesAt.slice(0, 10)}, {formatBytes(goesBytes)}
              </td>
            </tr>
          ))}
        </tbody>
      </Scrolling>
    </>
  );
}
