import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatBytes, formatCount, formatDuration, formatTime, plural } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Scrolling } from "../shell/scrolling.tsx";

type Props = { database: OpsResponse["database"]; storage: OpsResponse["storage"] };

/** How large the database is, how it grows, and when it was last backed up. */
export function Database({ database, storage }: Props) {
  const { zone } = usePreferences();
  const { backup } = storage;
  const tables = database.tables.toSorted((a, b) => b.bytes - a.bytes);
  return (
    <>
      <h2>Database</h2>
      <p>{growthOf({ database, storage })}</p>
      <p class={backup === null ? "muted" : ""}>
        {backup === null
          ? "No backup has been read back yet: npm run backup -- now makes one."
          : `Backed up ${formatDuration(backup.ageSeconds)} ago (${formatTime(Date.parse(backup.finishedAt), zone, "full")}), ${formatBytes(backup.bytes)}, read back.`}
      </p>
      {tables.length > 0 && (
        <Scrolling label="Tables">
          <thead>
            <tr>
              <th scope="col">Table</th>
              <th scope="col">Bytes</th>
              <th scope="col">Rows</th>
            </tr>
          </thead>
          <tbody>
            {tables.map(({ name, bytes, rows }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{formatBytes(bytes)}</td>
                <td>{formatCount(rows)}</td>
              </tr>
            ))}
          </tbody>
        </Scrolling>
      )}
    </>
  );
}

/** "1.2 GB; grows 20 MB a day and frees 5 MB of it; of 10 GB, full in 400 days" */
function growthOf({ database, storage: { bytesPerDay, freedPerDay, limitBytes, daysToLimit } }: Props): string {
  const grows =
    bytesPerDay === null
      ? "how it grows is known after a whole day"
      : `yesterday added ${formatBytes(bytesPerDay)}, retention frees ${formatBytes(freedPerDay)} within a day`;
  const limit =
    limitBytes === null
      ? "no limit is set (DATABASE_LIMIT_BYTES)"
      : `${formatBytes(limitBytes)} are allowed${daysToLimit === null ? "" : `, reached in ${plural(Math.floor(daysToLimit), "day")}`}`;
  return `${formatBytes(database.bytes)}; ${grows}; ${limit}.`;
}
