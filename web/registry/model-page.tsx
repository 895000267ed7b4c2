import { useState } from "preact/hooks";
import { getModel, getTrial, type Model, promoteModel, rollBack, type Trial, train } from "../api/models.ts";
import { formatNumber, formatPercent } from "../format.ts";
import { LinePlot } from "../plots/line-plot.tsx";
import { type Live, useLive } from "../shell/live.ts";
import { sensorHref } from "../shell/route.ts";
import { Failed, Notice, Skeleton } from "../shell/states.tsx";
import { Act } from "./act.tsx";
import { Receipt } from "./receipt.tsx";
import { ModelStatusText } from "./status.tsx";

/** One model: why it has its status, its receipt, its trial, and what a person may do with it. */
export function ModelPage({ modelId }: { modelId: string }) {
  const [round, setRound] = useState(0);
  const model = useLive<Model>(`model ${modelId} ${round}`, (signal) => getModel(modelId, signal));
  if (model.data === null) {
    if (model.failure !== null) return <Failed failure={model.failure} onRetry={model.retry} />;
    return <Skeleton height={480} label={`Loading ${modelId}`} />;
  }
  const { sensorId, status, statusReason, fleetId } = model.data;
  return (
    <div class="page">
      <nav class="crumbs" aria-label="You are here">
        <a href="/models" data-route>
          Models
        </a>
      </nav>
      <div class="title">
        <h1>
          <code>{modelId}</code>
        </h1>
        <ModelStatusText status={status} />
        <span class="muted">{statusReason}</span>
        <a class="title-link" href={sensorHref(sensorId)} data-route>
          Sensor {sensorId}
        </a>
      </div>
      <Actions model={model.data} onDone={() => setRound(round + 1)} />
      {status === "challenger" && <TrialSection modelId={modelId} isOfFleet={fleetId !== null} />}
      <section class="section" aria-labelledby="receipt">
        <h2 id="receipt">Receipt</h2>
        <div class="panel">
          <Receipt model={model.data} />
          <p class="muted">
            <code>npm run models -- receipt {modelId}</code> checks these against the store and the source.
          </p>
        </div>
      </section>
    </div>
  );
}

function Actions({ model, onDone }: { model: Model; onDone: () => void }) {
  const { modelId, sensorId, status } = model;
  return (
    <section class="section" aria-label="What can be done">
      <div class="acts">
        {status !== "champion" && (
          <Act
            label="Promote"
            object={modelId}
            scope="promote"
            consequence={`${modelId} will serve ${sensorId} from its next forecast on; the model before it is retired.`}
            act={(reason) => promoteModel(modelId, reason)}
            done="It serves now."
            onDone={onDone}
          />
        )}
        {status === "champion" && (
          <Act
            label="Roll back"
            object={modelId}
            scope="promote"
            consequence={`The champion before ${modelId} will serve ${sensorId} again.`}
            act={(reason) => rollBack(sensorId, reason)}
            done="The model before it serves again."
            onDone={onDone}
          />
        )}
        <Act
          label="Train anew"
          object={sensorId}
          scope="train"
          consequence={null}
          act={() => train(sensorId)}
          done="Asked for; a newer model appears among the versions when it has passed its checks."
          onDone={() => {}}
        />
      </div>
    </section>
  );
}

function TrialSection({ modelId, isOfFleet }: { modelId: string; isOfFleet: boolean }) {
  const trial = useLive<Trial>(`trial ${modelId}`, (signal) => getTrial(modelId, signal));
  return (
    <section class="section" aria-labelledby="trial">
      <h2 id="trial">Trial</h2>
      <Evidence trial={trial} isOfFleet={isOfFleet} />
    </section>
  );
}

const decisions = { promote: "It would be promoted", keep: "It stays on trial", retire: "It would be retired" };

function Evidence({ trial, isOfFleet }: { trial: Live<Trial>; isOfFleet: boolean }) {
  if (trial.data === null) {
    if (trial.failure !== null) return <Failed failure={trial.failure} onRetry={trial.retry} />;
    return <Skeleton height={260} label="Loading the trial" />;
  }
  const { againstId, decision, reason, moments, minimumMoments, maximumMoments, lossRatio, coverage, days } =
    trial.data;
  const other = againstId === null ? "persistence" : "the champion";
  const summary = `${decisions[decision]}: ${reason}`;
  return (
    <div class="panel">
      <p>
        <b>{decisions[decision]}</b>: {reason}.
      </p>
      {isOfFleet && (
        <Notice tone="info">
          It is a part of a fleet's network, which is decided for all of its sensors at once; these are this sensor's
          own scores.
        </Notice>
      )}
      <dl class="facts">
        <div>
          <dt>Held against</dt>
          <dd>{againstId === null ? "persistence: there is no champion" : <code>{againstId}</code>}</dd>
        </div>
        <div>
          <dt>Moments</dt>
          <dd>
            {moments}; decided from {minimumMoments} on, given up after {maximumMoments}
          </dd>
        </div>
        <div>
          <dt>Loss</dt>
          <dd>{lossRatio === null ? "not scored yet" : `${formatPercent(lossRatio)} of that of ${other}`}</dd>
        </div>
        <div>
          <dt>Within the 80 % range</dt>
          <dd>
            {coverage === null
              ? "not scored yet"
              : `${formatPercent(coverage.challenger)}, ${other} ${formatPercent(coverage.champion)}`}
          </dd>
        </div>
      </dl>
      {days.length > 1 && (
        <LinePlot
          title="Mean loss a day"
          summary={summary}
          labels={days.map(({ day }) => day.slice(5))}
          labelName="day"
          series={[
            { name: "this model", look: "model", values: days.map((day) => day.challenger) },
            { name: other, look: "seasonal", values: days.map((day) => day.champion) },
            ...(againstId === null
              ? []
              : [{ name: "persistence", look: "persistence" as const, values: days.map((day) => day.persistence) }]),
          ]}
          formatValue={(value) => formatNumber(value, 2)}
          formatTick={(value, decimals) => formatNumber(value, decimals)}
          span={[0, 1]}
        />
      )}
    </div>
  );
}
