import type { Model } from "../../functions/api/contract.ts";
import { getModels } from "../api/requests.ts";
import { formatNumber, formatTime, missing, shortSha } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { sensorHref } from "../shell/route.ts";
import { Empty, Failed, Skeleton } from "../shell/states.tsx";
import { metricsOf } from "./metrics.ts";
import { ModelStatusText } from "./status.tsx";

const mostRows = 500;

/** Every model with its status and why it has it, newest first. */
export function ModelsPage() {
  const { zone } = usePreferences();
  const models = useLive<Model[]>("models", (signal) => getModels(null, signal));
  const list = models.data;
  return (
    <div class="page">
      <div class="title">
        <h1>Models</h1>
        <span class="muted">One LSTM a sensor; a challenger must win on paired scores to become champion.</span>
      </div>
      {list === null ? (
        models.failure === null ? (
          <Skeleton height={480} label="Loading the models" />
        ) : (
          <Failed failure={models.failure} onRetry={models.retry} />
        )
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
              {list.slice(0, mostRows).map((model) => (
                <tr key={model.modelId}>
                  <th scope="row">
                    <code>{model.modelId}</code>
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
          {list.length > mostRows && (
            <p class="muted">
              The newest {mostRows} of {list.length} models.
            </p>
          )}
        </section>
      )}
    </div>
  );
}

function figure(value: number | undefined): string {
  return value === undefined ? missing : formatNumber(value, 3);
}
