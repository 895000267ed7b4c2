import { useEffect, useRef, useState } from "preact/hooks";
import type { Model } from "../../functions/api/contract/models.ts";
import { getModels } from "../api/requests.ts";
import { formatNumber, formatTime, missing, shortSha } from "../format.ts";
import { Icon } from "../shell/icons.tsx";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { modelHref, sensorHref, setQuery } from "../shell/route.ts";
import { Empty, Failed, Skeleton } from "../shell/states.tsx";
import { FleetVersions } from "./fleets.tsx";
import { metricsOf } from "./metrics.ts";
import { ModelStatusText } from "./status.tsx";

const statuses = ["champion", "challenger", "retired"] as const;

/** Models with their status and why they have it, newest first; more of them come as one scrolls. */
export function ModelsPage({ query }: { query: URLSearchParams }) {
  const { zone } = usePreferences();
  const search = query.get("search") ?? "";
  const status = statuses.find((one) => one === query.get("status"));
  const asked = { ...(search.trim() ? { q: search.trim() } : {}), ...(status ? { status } : {}) };
  const key = JSON.stringify(asked);
  const [wanted, setWanted] = useState({ key, pages: 1 });
  const pages = wanted.key === key ? wanted.pages : 1;
  const models = useLive(`models ${key} ${pages}`, (signal) => getModels(asked, signal, pages));
  const list = models.data?.models ?? null;
  return (
    <div class="page">
      <div class="title">
        <h1>Models</h1>
        <span class="muted">
          One network a fleet, a part a sensor; a challenger must win on paired scores to become champion.
        </span>
      </div>
      <FleetVersions />
      <Filters search={search} status={status} />
      {list === null ? (
        models.failure === null ? (
          <Skeleton height={480} label="Loading the models" />
        ) : (
          <Failed failure={models.failure} onRetry={models.retry} />
        )
      ) : list.length === 0 && key !== "{}" ? (
        <Empty title="No model fits">
          No model has this text and status.{" "}
          <button type="button" class="link" onClick={() => setQuery({ search: null, status: null })}>
            Show all
          </button>
        </Empty>
      ) : list.length === 0 ? (
        <Empty title="No models yet">
          Sensors are served by baselines until their first model is trained: <code>npm run train</code> makes one.
        </Empty>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus
        <section class="fleet-wrap table-scroll" tabIndex={0} aria-label="Models">
          <table class="plain numeric models">
            <thead>
              <tr>
                <th scope="col">Model</th>
                <th scope="col">Sensor</th>
                <th scope="col">Status</th>
                <th scope="col">Why</th>
                <th scope="col">Made</th>
                <th scope="col">MAE, against ridge and persistence</th>
                <th scope="col">sha256</th>
              </tr>
            </thead>
            <tbody>
              {list.map((model) => (
                <tr key={model.modelId}>
                  <th scope="row">
                    <a href={modelHref(model.modelId)} data-route>
                      <code>{model.modelId}</code>
                    </a>
                  </th>
                  <td>
                    <a href={sensorHref(model.sensorId)} data-route>
                      {model.sensorId}
                    </a>
                  </td>
                  <td>
                    <ModelStatusText status={model.status} />
                  </td>
                  <td class="wrap">{model.statusReason}</td>
                  <td>{formatTime(Date.parse(model.createdAt), zone, "dayClock")}</td>
                  <td>
                    {metricsOf(model).map(({ target, metrics }) => (
                      <div key={target}>
                        <span class="muted">{target}</span> <b>{figure(metrics.mae)}</b>{" "}
                        <span class="muted">
                          {figure(metrics.ridgeMae)}, {figure(metrics.persistenceMae)}
                        </span>
                      </div>
                    ))}
                  </td>
                  <td>
                    <code title={model.modelSha256}>{shortSha(model.modelSha256)}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {models.data?.isWhole === false && (
            <More isLoading={models.isLoading} onMore={() => setWanted({ key, pages: pages + 1 })} />
          )}
        </section>
      )}
    </div>
  );
}

function Filters({ search, status }: { search: string; status: Model["status"] | undefined }) {
  return (
    <search class="toolbar">
      <label class="searchbox">
        <Icon name="search" />
        <span class="sr-only">Search models</span>
        <input
          type="search"
          placeholder="Search model, sensor, reason"
          value={search}
          onInput={(event) => setQuery({ search: event.currentTarget.value || null })}
        />
      </label>
      <fieldset class="filters">
        <legend class="sr-only">Status</legend>
        {statuses.map((one) => (
          <button
            key={one}
            type="button"
            class="chip"
            aria-pressed={one === status}
            onClick={() => setQuery({ status: one === status ? null : one })}
          >
            <ModelStatusText status={one} />
          </button>
        ))}
      </fieldset>
    </search>
  );
}

/** Asks for more when it comes into sight, or is pressed. */
function More({ isLoading, onMore }: { isLoading: boolean; onMore: () => void }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (isLoading || button.current === null) return;
    const seen = new IntersectionObserver(([entry]) => entry?.isIntersecting && onMore(), { rootMargin: "600px" });
    seen.observe(button.current);
    return () => seen.disconnect();
  });
  return (
    <button ref={button} type="button" class="button" disabled={isLoading} onClick={onMore}>
      {isLoading ? "Loading more" : "Show more"}
    </button>
  );
}

function figure(value: number | undefined): string {
  return value === undefined ? missing : formatNumber(value, 3);
}
