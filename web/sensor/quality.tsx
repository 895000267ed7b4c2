import type { ForecastResponse, MixResponse } from "../../functions/api/contract/forecasts.ts";
import type { ReadingsResponse } from "../../functions/api/contract/readings.ts";
import type { Sensor } from "../../functions/api/contract/sensors.ts";
import { formatDuration, formatPercent, formatTime, formatValue, plural, shortSha, titleOf } from "../format.ts";
import { usePreferences } from "../shell/preferences.ts";
import { presentOf, usePulse } from "../shell/pulse.ts";

/** What went into the forecast that is shown, and what became of the last cycle for this sensor. */
export function Quality(props: {
  sensor: Sensor;
  forecast: ForecastResponse | null;
  readings: ReadingsResponse | null;
}) {
  const { sensor, forecast, readings } = props;
  const { zone } = usePreferences();
  const present = presentOf(usePulse());
  const time = (text: string) => formatTime(Date.parse(text), zone, "dayClock");
  const outcome = sensor.lastOutcome;
  return (
    <section class="section" aria-labelledby="quality">
      <h2 id="quality">Data and provenance</h2>
      <div class="panel">
        <dl class="facts">
          <div>
            <dt>Last outcome</dt>
            <dd>
              {outcome === null ? (
                "none yet"
              ) : (
                <>
                  {outcome.status} at {time(outcome.slot)}
                  {outcome.reasonText !== null && `: ${outcome.reasonText}`}
                  {outcome.held > 0 && `; ${plural(outcome.held, "reading")} held back`}
                  {outcome.have !== null && outcome.need !== null && ` (${outcome.have} of ${outcome.need} steps)`}
                </>
              )}
            </dd>
          </div>
          <div>
            <dt>Newest reading</dt>
            <dd class="numeric">
              {sensor.newestReadingAt === null
                ? "none yet"
                : `${time(sensor.newestReadingAt)}${present === null ? "" : `, ${formatDuration((present - Date.parse(sensor.newestReadingAt)) / 1000)} ago`}`}
            </dd>
          </div>
          {sensor.targets.map((target) => {
            const missing = target.history.value.filter((value) => value === null).length;
            return (
              <div key={target.target}>
                <dt>{titleOf(target.target)}, last day</dt>
                <dd class="numeric">
                  {missing === 0
                    ? `complete, ${plural(target.history.at.length, "point")}`
                    : `${missing} of ${plural(target.history.at.length, "point")} missing`}
                </dd>
              </div>
            );
          })}
          {readings?.targets.map(({ target, standing, everySeconds }) => {
            const steps = standing.filter((value) => value !== null).length;
            return (
              steps > 0 && (
                <div key={`standing-${target}`}>
                  <dt>{titleOf(target)}, between readings</dt>
                  <dd class="numeric">
                    {everySeconds === null ? "comes seldom" : `comes every ${formatDuration(everySeconds)}`}; {steps} of{" "}
                    {plural(standing.length, "step")} shown stand on the value before
                  </dd>
                </div>
              )
            );
          })}
          {readings?.targets.map(
            ({ target, unit, heldBack, shift }) =>
              (heldBack.length > 0 || shift !== null) && (
                <div key={`odd-${target}`}>
                  <dt>{titleOf(target)}, doubtful</dt>
                  <dd class="numeric">
                    {heldBack.length > 0 &&
                      `${plural(heldBack.length, "reading")} held back, the last ${formatHeld(heldBack.at(-1), unit, time)}`}
                    {heldBack.length > 0 && shift !== null && "; "}
                    {shift?.text}
                  </dd>
                </div>
              ),
          )}
          {forecast !== null && (
            <>
              <div>
                <dt>Forecast shown</dt>
                <dd class="numeric">
                  from {time(forecast.origin)}, issued {time(forecast.issuedAt)} for the slot of {time(forecast.slot)}
                </dd>
              </div>
              <div>
                <dt>Made by</dt>
                <dd>
                  {forecast.method === "lstm" ? (
                    <>
                      LSTM <code>{forecast.modelId}</code>
                      {forecast.modelSha256 !== null && (
                        <>
                          , sha256 <code title={forecast.modelSha256}>{shortSha(forecast.modelSha256)}</code>
                        </>
                      )}
                    </>
                  ) : (
                    `${forecast.baseline ?? "baseline"}: ${forecast.reasonText ?? forecast.reason ?? ""}`
                  )}
                </dd>
              </div>
              {forecast.mix !== null && <Mix mix={forecast.mix} time={time} />}
              <div>
                <dt>Knew readings up to</dt>
                <dd class="numeric">
                  {time(forecast.sourceWatermark)}, {plural(forecast.imputedSteps, "step")} filled in,{" "}
                  {forecast.neighbours !== null && `${plural(forecast.neighbours, "other sensor")} beside it, `}code{" "}
                  {forecast.codeVersion}
                </dd>
              </div>
            </>
          )}
        </dl>
      </div>
    </section>
  );
}

const experts = [
  ["lstm", "LSTM"],
  ["challenger", "newer LSTM on trial"],
  ["ridge", "ridge"],
  ["climatology", "time of day"],
  ["persistence", "no change"],
] as const;

/** What the forecast was mixed from, per group of leads, as learnt from this sensor's own outcomes. */
function Mix({ mix, time }: { mix: MixResponse; time: (text: string) => string }) {
  return (
    <div>
      <dt>Mixed from</dt>
      <dd class="numeric">
        {mix.groups.map(({ firstLead, lastLead, weights, widths }) => (
          <div key={firstLead}>
            {firstLead === lastLead ? `Lead ${firstLead}` : `Leads ${firstLead} to ${lastLead}`}:{" "}
            {experts
              .filter(([key]) => key !== "challenger" || mix.challengerId !== null)
              .map(([key, name]) => `${name} ${formatPercent(weights[key])}`)
              .join(", ")}
            ; range {formatFactor(widths.lower)} below, {formatFactor(widths.upper)} above
          </div>
        ))}
        {mix.learntThrough === null ? "nothing learnt yet" : `learnt from outcomes up to ${time(mix.learntThrough)}`}
      </dd>
    </div>
  );
}

function formatHeld(
  reading: { at: string; value: number } | undefined,
  unit: string,
  time: (text: string) => string,
): string {
  return reading === undefined ? "" : `${formatValue(reading.value, unit, 1)} at ${time(reading.at)}`;
}

function formatFactor(factor: number): string {
  return `× ${factor.toFixed(2)}`;
}
