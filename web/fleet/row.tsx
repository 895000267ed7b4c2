import { useMemo } from "preact/hooks";
import { describeChance, describeLimits } from "../../core/alert/crossing-words.ts";
import type { FleetCrossing } from "../../functions/api/contract/fleet.ts";
import type { Coverage } from "../../functions/api/contract/forecasts.ts";
import {
  decimalsFor,
  formatCount,
  formatDuration,
  formatPercent,
  formatRange,
  formatSkill,
  formatTime,
  formatValue,
  missing,
  plural,
  titleOf,
} from "../format.ts";
import { crossingText } from "../sensor/crossings.tsx";
import { usePreferences } from "../shell/preferences.ts";
import { sensorHref, setQuery } from "../shell/route.ts";
import { ahead, enoughScores, type FleetRow, type FleetTarget } from "./rows.ts";
import { sparkline } from "./sparkline.ts";
import { Status } from "./status.tsx";

const sparklineBox = { width: 260, height: 34 };
type Span = { from: number; to: number; present: number };

type Props = { row: FleetRow; index: number; span: Span; aheads: number[] };

/** The same nodes until one of these changes, which costs the page nothing. */
export function FleetRowView({ row, index, span, aheads }: Props) {
  return useMemo(() => drawRow({ row, index, span, aheads }), [row, index, span, aheads]);
}

function drawRow({ row, index, span, aheads }: Props) {
  return (
    <tr data-row aria-rowindex={index}>
      <th scope="row" class="c-sensor">
        <a href={sensorHref(row.sensorId)} data-route>
          {row.sensorId}
        </a>
        {row.name !== null && <small class="muted name">{row.name}</small>}
        {row.group !== null && (
          <button type="button" class="link group" onClick={() => setQuery({ group: row.group })}>
            {row.group}
          </button>
        )}
      </th>
      <td class="c-status">
        <Status status={row.status} />
        {row.statusText !== "" && row.status !== "ok" && (
          <span class="reason muted" title={row.statusText}>
            {row.statusText}
          </span>
        )}
      </td>
      <td class="c-spark">
        {row.targets.map((target) => (
          <div class="line" key={target.target}>
            <span class="target">{titleOf(target.target)}</span>
            <Spark target={target} span={span} />
          </div>
        ))}
      </td>
      <td class="c-last">
        {row.targets.map((target) => (
          <div class="line numeric" key={target.target}>
            <span>{formatValue(target.lastValue, target.unit)}</span>
            <small class="muted">
              {target.lastReadingAt === null
                ? "never"
                : `${formatDuration((span.present - target.lastReadingAt) / 1000)} ago`}
            </small>
          </div>
        ))}
      </td>
      {aheads.map((aheadMs) => (
        <td class="c-next" key={aheadMs}>
          {row.targets.map((target) => (
            <Ahead key={target.target} target={target} present={span.present} aheadMs={aheadMs} />
          ))}
        </td>
      ))}
      <td class="c-chance">
        {row.targets.map((target) => (
          <div class="line" key={target.target}>
            {row.crossing?.target === target.target && <Chance crossing={row.crossing} unit={target.unit} />}
          </div>
        ))}
      </td>
      <td class="c-skill">
        {row.targets.map((target) => (
          <div class="line numeric" key={target.target}>
            <span class={skillLook(target)}>{formatSkill(target.skill)}</span>
            {target.skill !== null && <small class="muted">vs persistence</small>}
          </div>
        ))}
      </td>
      <td class="c-coverage">
        {row.targets.map((target) => (
          <div class="line numeric" key={target.target}>
            <CoverageText coverage={target.coverage} />
          </div>
        ))}
      </td>
      <td class="c-model">
        {row.modelId === null ? (
          <span class="muted">none yet</span>
        ) : (
          <code title={row.modelId}>{shortModelId(row.modelId, row.sensorId)}</code>
        )}
      </td>
    </tr>
  );
}

/** Without the sensor's id in front, which the row says already. */
function shortModelId(modelId: string, sensorId: string): string {
  return modelId.startsWith(`${sensorId}-`) ? modelId.slice(sensorId.length + 1) : modelId;
}

function skillLook({ skill, coverage }: FleetTarget): string {
  if (coverage.n < enoughScores) return "muted";
  return skill !== null && skill < 0 ? "worse" : "";
}

/** "35 % above 26 °C from about 19:10", or what it is beyond now. */
function Chance({ crossing, unit }: { crossing: FleetCrossing; unit: string }) {
  const { zone } = usePreferences();
  const { side, limit, chance, crossesAt, isBeyond } = crossing;
  const limits = describeLimits(side === "below" ? limit : null, side === "above" ? limit : null, unit);
  const when = chance < 0.01 ? "" : ` from about ${formatTime(Date.parse(crossesAt), zone, "clock")}`;
  return (
    <span class="chance" title={crossingText(crossing, unit, zone)}>
      <span class={isBeyond || chance >= 0.2 ? "worse" : "muted"}>{isBeyond ? "now" : describeChance(chance)}</span>{" "}
      <small class="muted">
        <span>{limits}</span>
        {!isBeyond && when}
      </small>
    </span>
  );
}

function Ahead({ target, present, aheadMs }: { target: FleetTarget; present: number; aheadMs: number }) {
  const next = ahead(target.points, present, aheadMs, 1000 * target.stepSeconds);
  const decimals = decimalsFor(Math.abs(target.lastValue ?? next?.q50 ?? 0));
  return (
    <div class="line numeric">
      {next === null ? (
        <span class="muted">{missing}</span>
      ) : (
        <>
          <span class="future">{formatValue(next.q50, target.unit, decimals)}</span>
          <small class="muted">{formatRange(next.q10, next.q90, "", decimals)}</small>
        </>
      )}
    </div>
  );
}

function CoverageText({ coverage }: { coverage: Coverage }) {
  if (coverage.observed === null) {
    return (
      <>
        <span class="muted">{missing}</span>
        <small class="muted">nothing scored yet</small>
      </>
    );
  }
  return (
    <>
      <span class={coverage.n < enoughScores ? "muted" : ""}>
        {formatPercent(coverage.observed)} <span class="muted">of {formatPercent(coverage.nominal)}</span>
      </span>
      <small class="muted">
        n = {formatCount(coverage.n)}
        {coverage.n < enoughScores && ", too few yet"}
      </small>
    </>
  );
}

function Spark({ target, span }: { target: FleetTarget; span: Span }) {
  const { points } = target;
  const spark = sparkline(points, span, sparklineBox);
  const seen = points.history.value.filter((value) => value !== null);
  const decimals = decimalsFor(Math.abs(target.lastValue ?? 0));
  const summary =
    seen.length === 0
      ? "no readings of late"
      : `seen ${formatRange(Math.min(...seen), Math.max(...seen), target.unit, decimals)} in ${plural(seen.length, "value")}`;
  const outlook = points.forecast === null ? "no forecast" : "forecast with its 80 % range to the right of the present";
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${sparklineBox.width} ${sparklineBox.height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${titleOf(target.target)}: ${summary}; ${outlook}`}
    >
      <rect
        class="spark-future"
        x={spark.nowX}
        y="0"
        width={Math.max(0, sparklineBox.width - spark.nowX)}
        height={sparklineBox.height}
      />
      <path class="spark-band" d={spark.band} />
      <path class="spark-past" d={spark.past} />
      {spark.dots.map((dot) => (
        <circle key={dot.x} class="spark-dot" cx={dot.x} cy={dot.y} r="1.2" />
      ))}
      <path class="spark-median" d={spark.median} />
      <path class="spark-now" d={`M${spark.nowX} 0V${sparklineBox.height}`} />
    </svg>
  );
}
