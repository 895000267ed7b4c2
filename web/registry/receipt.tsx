import type { Model } from "../../functions/api/contract/models.ts";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatPercent,
  formatTime,
  missing,
  shortSha,
  titleOf,
} from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { metricsOf } from "./metrics.ts";

/** What a model is, how it came about, and how it did on validation data. */
export function Receipt({ model }: { model: Model }) {
  const { zone } = usePreferences();
  const { training } = model;
  const day = (text: string) => formatTime(Date.parse(text), zone, "date");
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{model.status === "champion" ? "Serving" : "Model"}</dt>
          <dd>
            <code>{model.modelId}</code>
          </dd>
        </div>
        <div>
          <dt>Why</dt>
          <dd>{model.statusReason}</dd>
        </div>
        <div>
          <dt>Trained on</dt>
          <dd>
            {day(training.from)} to {day(training.to)}, {formatCount(training.windows)} windows
          </dd>
        </div>
        {training.leftOut.length > 0 && (
          <div>
            <dt>Left out</dt>
            <dd>{training.leftOut.map((one) => leftOutText(one, zone)).join("; ")}</dd>
          </div>
        )}
        <div>
          <dt>Sees, says</dt>
          <dd>
            {formatDuration(model.contextLength * model.stepSeconds)} back,{" "}
            {formatDuration(model.horizon * model.stepSeconds)} ahead
          </dd>
        </div>
        <div>
          <dt>{model.fleetId === null ? "model.onnx sha256" : "Fleet's network, sha256 of the part"}</dt>
          <dd>
            {model.fleetId !== null && <code>{model.fleetId}</code>}{" "}
            <code title={model.modelSha256}>{shortSha(model.modelSha256)}</code>
          </dd>
        </div>
        <div>
          <dt>Receipt</dt>
          <dd>
            {training.engine}, seed {training.seed}, {formatNumber(training.cpuSeconds, 1)} s CPU, data{" "}
            <code title={training.dataSha256}>{shortSha(training.dataSha256)}</code>, code {model.codeVersion}
          </dd>
        </div>
      </dl>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus */}
      <section class="table-scroll" tabIndex={0} aria-label="Errors on validation data">
        <table class="plain numeric">
          <caption>On validation data, mean absolute error</caption>
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">LSTM</th>
              <th scope="col">ridge</th>
              <th scope="col">persistence</th>
              <th scope="col">coverage</th>
            </tr>
          </thead>
          <tbody>
            {metricsOf(model).map(({ target, metrics }) => (
              <tr key={target}>
                <th scope="row">{titleOf(target)}</th>
                <td>
                  <b>{figure(metrics.mae)}</b>
                </td>
                <td>{figure(metrics.ridgeMae)}</td>
                <td>{figure(metrics.persistenceMae)}</td>
                <td>{formatPercent(metrics.coverage ?? null)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function figure(value: number | undefined): string {
  return value === undefined ? missing : formatNumber(value, 3);
}

/** "outage from 4 May 12:00 to 4 May 14:00, temperature" */
function leftOutText({ kind, target, from, to }: Model["training"]["leftOut"][number], zone: "utc" | "local"): string {
  const at = (text: string) => formatTime(Date.parse(text), zone, "dayClock");
  const until = to === null ? "on" : `to ${at(to)}`;
  return `${kind} from ${at(from)} ${until}${target === null ? "" : `, ${titleOf(target).toLowerCase()}`}`;
}
