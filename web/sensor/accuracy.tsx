import type { AccuracyResponse } from "../../functions/api/contract/accuracy.ts";
import type { Model } from "../../functions/api/contract/models.ts";
import { decimalsFor, formatDuration, formatNumber, formatPercent, titleOf, withUnit } from "../format.ts";
import { LinePlot } from "../plots/line-plot.tsx";
import { leadTicks } from "../plots/scale.ts";
import type { Live } from "../shell/live.ts";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import {
  dayLabel,
  errorSeries,
  leadSummary,
  modelMarks,
  overallSentence,
  type TargetAccuracy,
  withLeftOutSentence,
} from "./accuracy-data.ts";

type Props = {
  byLead: Live<AccuracyResponse>;
  byDay: Live<AccuracyResponse>;
  models: Model[];
  stepSeconds: number;
};

/** How the served forecasts did, by lead and by day, beside the yardsticks. */
export function Accuracy({ byLead, byDay, models, stepSeconds }: Props) {
  const failure = byLead.failure ?? byDay.failure;
  const hasScores = byLead.data?.targets.some((one) => one.groups.length > 0) ?? false;
  return (
    <section class="section" aria-labelledby="accuracy">
      <h2 id="accuracy">Accuracy, last 7 days</h2>
      {byLead.data === null ? (
        failure === null ? (
          <Skeleton height={320} label="Loading the accuracy" />
        ) : (
          <Failed failure={failure} onRetry={byLead.retry} />
        )
      ) : !hasScores ? (
        <Empty title="Nothing scored yet">
          A forecast is scored when the moments that it spoke of have been measured: the first scores come one step
          after the first forecast.
        </Empty>
      ) : (
        <>
          {failure !== null && (
            <Notice tone="warn">
              <b>Older figures are shown.</b> {failure.detail}
            </Notice>
          )}
          <div class="accuracy">
            {byLead.data.targets
              .filter((one) => one.groups.length > 0)
              .map((one) => (
                <TargetPlots
                  key={one.target}
                  byLead={one}
                  byDay={byDay.data?.targets.find((day) => day.target === one.target) ?? null}
                  models={models}
                  stepSeconds={stepSeconds}
                />
              ))}
          </div>
        </>
      )}
    </section>
  );
}

function TargetPlots(props: {
  byLead: TargetAccuracy;
  byDay: TargetAccuracy | null;
  models: Model[];
  stepSeconds: number;
}) {
  const { byLead, byDay, models, stepSeconds } = props;
  const labels = byLead.groups.map((group) => formatDuration((group.lead ?? 0) * stepSeconds));
  const leads = byLead.groups.map((group) => group.lead ?? 0);
  const labelTicks = (most: number) => leadTicks(leads, stepSeconds, most);
  const biggest = Math.max(...byLead.groups.map((group) => group.mae));
  const format = (value: number) =>
    withUnit(formatNumber(value, decimalsFor(biggest) + (biggest < 1 ? 0 : 1)), byLead.unit);
  const formatTick = (value: number, decimals: number) => withUnit(formatNumber(value, decimals), byLead.unit);
  const days = byDay?.groups.map((group) => group.key) ?? [];
  const nominal = byLead.groups[0]?.coverage.nominal ?? 0.8;
  return (
    <div class="panel">
      <h3>{titleOf(byLead.target)}</h3>
      <p class="accuracy-text numeric">
        {overallSentence(byLead)} {withLeftOutSentence(byLead)}
      </p>
      <LinePlot
        title="Mean absolute error by lead"
        summary={leadSummary(byLead.groups, byLead.unit, stepSeconds)}
        labels={labels}
        labelName="ahead"
        labelTicks={labelTicks}
        places={leads}
        series={errorSeries(byLead.groups)}
        formatValue={format}
        formatTick={formatTick}
        span={null}
      />
      <LinePlot
        title={`Coverage of the ${formatPercent(nominal)} range by lead`}
        summary={`Nominal ${formatPercent(nominal)}.`}
        labels={labels}
        labelName="ahead"
        labelTicks={labelTicks}
        places={leads}
        series={[{ name: "observed", look: "model", values: byLead.groups.map((group) => group.coverage.observed) }]}
        reference={{ value: nominal, name: `nominal ${formatPercent(nominal)}` }}
        formatValue={(value) => formatPercent(value, 1)}
        formatTick={(value) => formatPercent(value)}
        span={[nominal - 0.2, 1]}
      />
      {byDay !== null && days.length > 1 && (
        <LinePlot
          title="Mean absolute error by day"
          summary={`${days.length} days, all leads together.`}
          labels={days.map(dayLabel)}
          labelName="day"
          series={errorSeries(byDay.groups)}
          marks={modelMarks(days, models)}
          formatValue={format}
          formatTick={formatTick}
          span={null}
        />
      )}
    </div>
  );
}
