import type { Rehearsal } from "../api/alerts.ts";
import { formatDuration, formatNumber, formatPercent, plural } from "../format.ts";
import { Scrolling } from "../shell/scrolling.tsx";
import { dodge } from "./dodge.ts";

type Point = Rehearsal["tradeOff"][number];
type Props = {
  points: Point[];
  unit: string;
  /** The chance, a share, of the rule that was rehearsed. */
  chance: number;
  onPick: (point: Point) => void;
};

const size = { width: 420, height: 240 };
const edge = { left: 44, right: 16, top: 14, bottom: 34 };

/**
 * What each chance and limit would have caught against how often it would have cried wolf. Each point is a radio
 * button: a click or the arrow keys pick one for the editor.
 */
export function TradeOffCurve({ points, unit, chance, onPick }: Props) {
  const most = Math.max(1, ...points.map((point) => point.false));
  const x = (point: Point) => edge.left + (point.false / most) * (size.width - edge.left - edge.right);
  const y = (point: Point) => edge.top + (1 - caught(point)) * (size.height - edge.top - edge.bottom);
  const places = dodge(
    points.map((point) => ({ x: x(point), y: y(point) })),
    size.width,
    16,
  );
  const curves = [...Map.groupBy(points, ({ shift }) => shift)];
  const bottom = size.height - edge.bottom;
  return (
    <fieldset class="trade-off">
      <legend>Pick a point: what it catches against its false alarms</legend>
      <div class="trade-off-plot">
        <svg viewBox={`0 0 ${size.width} ${size.height}`} class="lines" aria-hidden="true">
          {[0, 0.5, 1].map((share) => (
            <g key={share}>
              <path
                class="lines-grid"
                d={`M${edge.left} ${bottom - share * (bottom - edge.top)}H${size.width - edge.right}`}
              />
              <text class="lines-tick" x={edge.left - 6} y={bottom - share * (bottom - edge.top) + 4} text-anchor="end">
                {formatPercent(share)}
              </text>
            </g>
          ))}
          {[0, most].map((count) => (
            <text
              key={count}
              class="lines-tick"
              x={edge.left + (count / most) * (size.width - edge.left - edge.right)}
              y={bottom + 15}
              text-anchor={count === 0 ? "start" : "end"}
            >
              {count}
            </text>
          ))}
          <text class="lines-tick" x={size.width / 2} y={size.height - 4} text-anchor="middle">
            false alarms
          </text>
          {curves.map(([shift, own]) => (
            <path
              key={shift}
              class={`trade-line trade-${lookOf(shift)}`}
              d={own.map((point, i) => `${i === 0 ? "M" : "L"}${x(point).toFixed(1)} ${y(point).toFixed(1)}`).join("")}
            />
          ))}
        </svg>
        {points.map((point, i) => (
          <input
            key={`${point.shift} ${point.chance}`}
            type="radio"
            name="trade-off"
            class={`trade-point trade-${lookOf(point.shift)}`}
            style={{ left: `${(100 * places[i]!.x) / size.width}%`, top: `${(100 * places[i]!.y) / size.height}%` }}
            aria-label={wordsOf(point, unit)}
            title={wordsOf(point, unit)}
            checked={point.shift === 0 && point.chance === chance}
            onChange={() => onPick(point)}
          />
        ))}
      </div>
      <ul class="legend">
        {curves.map(([shift]) => (
          <li key={shift}>
            <svg viewBox="0 0 28 10" aria-hidden="true">
              <path class={`trade-line trade-${lookOf(shift)}`} d="M1 5h26" />
            </svg>
            {shiftWords(shift, unit)}
          </li>
        ))}
      </ul>
      <details class="numbers">
        <summary>Numbers</summary>
        <Numbers points={points} unit={unit} onPick={onPick} />
      </details>
    </fieldset>
  );
}

/** The share of what came that it said before; 1 where nothing came. */
function caught(point: Point): number {
  const all = point.true + point.missed;
  return all === 0 ? 1 : point.true / all;
}

function lookOf(shift: number): "as-is" | "outwards" | "inwards" {
  return shift === 0 ? "as-is" : shift > 0 ? "outwards" : "inwards";
}

function shiftWords(shift: number, unit: string): string {
  if (shift === 0) return "limit as it is";
  const by = `${formatNumber(Math.abs(shift), 2)}${unit === "" ? "" : ` ${unit}`}`;
  return `limit ${by} further ${shift > 0 ? "out" : "in"}`;
}

function wordsOf(point: Point, unit: string): string {
  const before = point.warningSeconds === null ? "" : `, ${formatDuration(point.warningSeconds.median)} before`;
  const counts = `${point.true} true${before}, ${point.false} false, ${point.missed} missed`;
  return `Chance ${formatPercent(point.chance)}, ${shiftWords(point.shift, unit)}: ${counts}`;
}

function Numbers({ points, unit, onPick }: Pick<Props, "points" | "unit" | "onPick">) {
  return (
    <Scrolling label="Trade-off">
      <thead>
        <tr>
          <th scope="col">Chance</th>
          <th scope="col">Limit</th>
          <th scope="col">True</th>
          <th scope="col">False</th>
          <th scope="col">Missed</th>
          <th scope="col">Before, median and least</th>
          <th scope="col">Take it</th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr key={`${point.shift} ${point.chance}`}>
            <td>{formatPercent(point.chance)}</td>
            <td>{shiftWords(point.shift, unit)}</td>
            <td>{point.true}</td>
            <td>{point.false}</td>
            <td>{point.missed}</td>
            <td>{warningWords(point.warningSeconds)}</td>
            <td>
              <button
                type="button"
                class="button button-quiet"
                aria-label={`Take ${formatPercent(point.chance)}, ${shiftWords(point.shift, unit)}`}
                onClick={() => onPick(point)}
              >
                Take
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </Scrolling>
  );
}

/** "1 h 30 min, 10 min"; a dash where it warned of nothing. */
export function warningWords(warning: Point["warningSeconds"]): string {
  return warning === null ? "–" : `${formatDuration(warning.median)}, ${formatDuration(warning.least)}`;
}

/** "5 times" */
export function timesWords(count: number): string {
  return plural(count, "time");
}
