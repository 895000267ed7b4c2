import { missing } from "../format.ts";
import type { LineSeries } from "./line-series.ts";

type Props = {
  title: string;
  labels: string[];
  labelName: string;
  series: LineSeries[];
  format: (value: number) => string;
};

/** A plot's twin: its numbers as a table, behind a fold. */
export function Numbers({ title, labels, labelName, series, format }: Props) {
  return (
    <details>
      <summary>
        Numbers<span class="sr-only"> of {title}</span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus */}
      <section class="table-box table-box-small" tabIndex={0} aria-label={`${title}, numbers`}>
        <table class="plain numeric">
          <thead>
            <tr>
              <th scope="col">{labelName}</th>
              {series.map((one) => (
                <th scope="col" key={one.name}>
                  {one.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {labels.map((label, i) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {series.map((one) => (
                  <td key={one.name}>{textOf(one.values[i], format)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

export function textOf(value: number | null | undefined, format: (value: number) => string): string {
  return value == null ? missing : format(value);
}
