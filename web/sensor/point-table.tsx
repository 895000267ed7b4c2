import { formatNumber, formatTime, missing, withUnit, type Zone } from "../format.ts";
import type { ChartData } from "./chart-data.ts";
import type { Span } from "./view.ts";

const mostRows = 600;
type Props = {
  name: string;
  data: ChartData;
  span: Span;
  leadText: string;
  unit: string;
  zone: Zone;
  decimals: number;
};

/** The chart's twin: the same points as a table, newest first. */
export function PointTable({ name, data, span, leadText, unit, zone, decimals }: Props) {
  const inside = data.at.flatMap((at, i) => (at >= span.from && at <= span.to ? [i] : [])).reverse();
  const rows = inside.slice(0, mostRows);
  const text = (value: number | null | undefined) => (value == null ? missing : formatNumber(value, decimals));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus
    <section class="table-box" tabIndex={0} aria-label={`${name}, points as a table`}>
      <table class="plain numeric">
        <caption class="sr-only">
          {name} in {unit === "" ? "its unit" : unit}, newest first
        </caption>
        <thead>
          <tr>
            <th scope="col">Time ({zone === "utc" ? "UTC" : "local"})</th>
            <th scope="col">{withUnit("Observed", unit)}</th>
            <th scope="col">Median</th>
            <th scope="col">10 %</th>
            <th scope="col">90 %</th>
            {leadText !== "" && <th scope="col">{leadText} earlier</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((i) => {
            const isForecast = data.origin !== null && data.at[i]! > data.origin;
            return (
              <tr key={data.at[i]} class={isForecast ? "is-future" : ""}>
                <th scope="row">{formatTime(data.at[i]!, zone, "dayClock")}</th>
                <td>{text(data.observed[i])}</td>
                <td>{isForecast ? text(data.q50[i]) : missing}</td>
                <td>{isForecast ? text(data.q10[i]) : missing}</td>
                <td>{isForecast ? text(data.q90[i]) : missing}</td>
                {leadText !== "" && <td>{text(data.overlay[i])}</td>}
              </tr>
            );
          })}
        </tbody>
      </table>
      {inside.length > rows.length && (
        <p class="muted">
          The newest {mostRows} of {inside.length} points. Zoom in to see the others.
        </p>
      )}
    </section>
  );
}
