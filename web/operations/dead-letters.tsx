import type { OpsResponse } from "../../functions/api/contract/ops.ts";
import { formatDuration, formatTime, plural } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { Notice } from "../shell/states.tsx";

/** What failed at every delivery, and why. */
export function DeadLetters({ letters, present }: { letters: OpsResponse["deadLetters"]; present: number }) {
  const { zone } = usePreferences();
  return (
    <>
      <h2>Dead letters</h2>
      {letters.error !== null ? (
        <Notice tone="warn">They are not known: {letters.error}.</Notice>
      ) : letters.count === 0 ? (
        <p class="muted">None: no message failed at every delivery.</p>
      ) : (
        <>
          <p>
            {plural(letters.count, "message")} failed at every delivery
            {letters.count > letters.items.length && `; these are the ${letters.items.length} sent last`}. Once the
            cause is gone, <code>npm run queue -- redrive</code> sends them back: what is done already is not done
            again.
          </p>
          <Scrolling label="Dead letters">
            <thead>
              <tr>
                <th scope="col">Queue</th>
                <th scope="col">Sent</th>
                <th scope="col">Reason</th>
                <th scope="col">Message</th>
              </tr>
            </thead>
            <tbody>
              {letters.items.map(({ id, queue, reason, sentAt, body }) => (
                <tr key={id}>
                  <td title={id}>{queue}</td>
                  <td>
                    <time dateTime={sentAt} title={formatTime(Date.parse(sentAt), zone, "full")}>
                      {formatDuration((present - Date.parse(sentAt)) / 1000)} ago
                    </time>
                  </td>
                  <td class="wrap">{reason ?? "ended without an answer: killed, out of memory or out of time"}</td>
                  <td>
                    <details>
                      <summary>show</summary>
                      <code class="wrap">{body}</code>
                    </details>
                  </td>
                </tr>
              ))}
            </tbody>
          </Scrolling>
        </>
      )}
    </>
  );
}
