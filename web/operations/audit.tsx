import { useState } from "preact/hooks";
import { type AuditEntry, getAudit } from "../api/audit.ts";
import { formatTime } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { Failed } from "../shell/states.tsx";

const first = 20;
/** The API gives so many at a time; programs read further by its cursor. */
const most = 200;

/** Who did what, newest first. Administrators alone may read it. */
export function Audit() {
  const [limit, setLimit] = useState(first);
  const { data, failure, retry } = useLive(`audit ${limit}`, (signal) => getAudit(limit, signal));
  return (
    <>
      <h2>Audit</h2>
      {data !== null ? (
        <Entries items={data.items} />
      ) : failure === null ? (
        <p class="muted">Loading</p>
      ) : failure.kind === "signedOut" || failure.kind === "forbidden" ? (
        <p class="muted">Who did what is for administrators to read.</p>
      ) : (
        <Failed failure={failure} onRetry={retry} />
      )}
      {data !== null && data.nextCursor !== null && limit < most && (
        <div>
          <button type="button" class="button" onClick={() => setLimit(most)}>
            Show the newest {most}
          </button>
        </div>
      )}
    </>
  );
}

function Entries({ items }: { items: AuditEntry[] }) {
  const { zone } = usePreferences();
  if (items.length === 0) return <p class="muted">Nobody has changed anything yet.</p>;
  return (
    <Scrolling label="Audit">
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">Did</th>
          <th scope="col">To</th>
          <th scope="col">Result</th>
          <th scope="col">From</th>
        </tr>
      </thead>
      <tbody>
        {items.map(({ auditId, at, actorKind, actorName, action, object, result, address }) => (
          <tr key={auditId}>
            <td>
              <time dateTime={at}>{formatTime(Date.parse(at), zone, "full")}</time>
            </td>
            <td title={actorKind}>{actorName}</td>
            <td>{action}</td>
            <td class="wrap">{object ?? "–"}</td>
            <td>{result}</td>
            <td>{address ?? "–"}</td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}
