import type { Model } from "../../functions/api/contract/models.ts";
import type { Sensor } from "../../functions/api/contract/sensors.ts";
import { formatTime } from "../format.ts";
import { Receipt } from "../registry/receipt.tsx";
import { ModelStatusText } from "../registry/status.tsx";
import type { Live } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { modelHref } from "../shell/route.ts";
import { Empty, Failed, Skeleton } from "../shell/states.tsx";

/** The model that serves, with its receipt, and the versions before and beside it. */
export function ModelCard({ sensor, models }: { sensor: Sensor; models: Live<Model[]> }) {
  const { zone } = usePreferences();
  const list = models.data;
  const champion = list?.find((model) => model.status === "champion") ?? null;
  return (
    <section class="section" aria-labelledby="model">
      <h2 id="model">Model</h2>
      {list === null ? (
        models.failure === null ? (
          <Skeleton height={260} label="Loading the model" />
        ) : (
          <Failed failure={models.failure} onRetry={models.retry} />
        )
      ) : list.length === 0 ? (
        <Empty title="No model yet">
          {sensor.sensorId} is served by a baseline until its own LSTM has been trained and has passed its checks.
        </Empty>
      ) : (
        <div class="panel">
          {champion !== null && <Receipt model={champion} />}
          <h3>Versions</h3>
          <ul class="versions">
            {list.map((model) => (
              <li key={model.modelId}>
                <ModelStatusText status={model.status} />
                <a href={modelHref(model.modelId)} data-route>
                  <code>{model.modelId}</code>
                </a>
                <span class="muted">
                  {formatTime(Date.parse(model.createdAt), zone, "dayClock")}: {model.statusReason}
                </span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
