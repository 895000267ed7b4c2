import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatDuration } from "../format.ts";
import { Icon } from "../shell/icons.tsx";
import { presentOf, usePulse, useTick } from "../shell/pulse.ts";
import { setQuery } from "../shell/route.ts";
import { FleetRowView } from "./row.tsx";
import { type FleetRow, type Sort, type SortColumn, visibleRange } from "./rows.ts";

const hourMs = 3_600_000;
/** What is forecast for so many hours ahead has a column, where forecasts reach so far. */
const aheadHours = [1, 24];
type Head = { column: SortColumn | null; label: string; class: string; isDescendingFirst?: boolean };
const heads: Head[] = [
  { column: "sensor", label: "Sensor", class: "c-sensor" },
  { column: "attention", label: "Status", class: "c-status", isDescendingFirst: true },
  { column: null, label: "Past and forecast", class: "c-spark" },
  { column: "age", label: "Last value", class: "c-last" },
  { column: "chance", label: "Chance", class: "c-chance", isDescendingFirst: true },
  { column: "skill", label: "Skill", class: "c-skill" },
  { column: "coverage", label: "Coverage", class: "c-coverage" },
  { column: "model", label: "Model", class: "c-model" },
];

type Props = {
  /** Rows in the whole list. */
  count: number;
  /** Null while it is still to come. */
  rowAt: (index: number) => FleetRow | null;
  /** Told which rows, [first, end), are near the screen. */
  onShow: (first: number, end: number) => void;
  sort: Sort;
};

/** Only the rows near the screen are in the page; spacers stand for the others, and for those that have not come. */
export function FleetTable({ count, rowAt, onShow, sort }: Props) {
  const pulse = usePulse();
  const tick = useTick(
    Math.max(1000, Math.min(20_000, ((pulse.ops?.stepSeconds ?? 60) * 250) / (pulse.ops?.clockSpeed ?? 1))),
  );
  // Rows stay as they are drawn until this moves: while somebody scrolls only new ones are made.
  const present = useMemo(() => presentOf(pulse) ?? 0, [tick, pulse.ops]);
  const body = useRef<HTMLTableSectionElement>(null);
  const [rowHeight, setRowHeight] = useState(90);
  const [range, setRange] = useState({ first: 0, end: 30 });

  useEffect(() => {
    const place = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const next = visibleRange(count, rowHeight, -top, innerHeight);
      setRange((now) => (now.first === next.first && now.end === next.end ? now : next));
    };
    place();
    addEventListener("scroll", place, { passive: true });
    addEventListener("resize", place);
    return () => {
      removeEventListener("scroll", place);
      removeEventListener("resize", place);
    };
  }, [count, rowHeight]);

  useEffect(() => onShow(range.first, range.end), [range.first, range.end, onShow]);

  useLayoutEffect(() => {
    const height = body.current?.querySelector("tr[data-row]")?.getBoundingClientRect().height;
    if (height !== undefined && height > 0 && Math.abs(height - rowHeight) > 0.5) setRowHeight(height);
  });

  const horizonMs = (pulse.ops?.horizon ?? 0) * (pulse.ops?.stepSeconds ?? 0) * 1000;
  // Three parts past to one part future, so that the forecast can be seen.
  const pastMs = Math.min(24 * hourMs, Math.max(3 * horizonMs, hourMs));
  const span = useMemo(
    () => ({ from: present - pastMs, to: present + Math.max(horizonMs, hourMs), present }),
    [present, pastMs, horizonMs],
  );
  const sparkLabel =
    horizonMs === 0
      ? "Past and forecast"
      : `Past ${formatDuration(pastMs / 1000)}, next ${formatDuration(horizonMs / 1000)}`;
  const aheads = useMemo(
    () => aheadHours.map((hours) => hours * hourMs).filter((aheadMs) => aheadMs <= Math.max(horizonMs, hourMs)),
    [horizonMs],
  );
  const shown = heads.flatMap((head): Head[] => [
    { ...head, label: head.class === "c-spark" ? sparkLabel : head.label },
    ...(head.class === "c-last" ? aheads.map(headOfAhead) : []),
  ]);
  const { first, end } = range;
  return (
    <div class="fleet-wrap">
      <table class={`fleet${count > 100 ? " fleet-long" : ""}`} aria-rowcount={count + 1}>
        <caption class="sr-only">
          {formatCount(count)} sensors,{" "}
          {sort.column === "attention" ? "those that need attention first" : `by ${sort.column}`}
        </caption>
        <thead>
          <tr aria-rowindex={1}>
            {shown.map((head) => (
              <Head key={head.label} {...head} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {first > 0 && <tr class="spacer" style={{ height: `${first * rowHeight}px` }} />}
          {Array.from({ length: Math.max(0, Math.min(end, count) - first) }, (_, i) => {
            const row = rowAt(first + i);
            return row === null ? (
              <tr key={first + i} class="spacer" style={{ height: `${rowHeight}px` }} />
            ) : (
              <FleetRowView key={row.sensorId} row={row} index={first + i + 2} span={span} aheads={aheads} />
            );
          })}
          {end < count && <tr class="spacer" style={{ height: `${(count - end) * rowHeight}px` }} />}
        </tbody>
      </table>
    </div>
  );
}

function headOfAhead(aheadMs: number): Head {
  return { column: null, label: `In ${formatDuration(aheadMs / 1000)}`, class: "c-next" };
}

function Head({ column, label, class: name, isDescendingFirst, sort }: Head & { sort: Sort }) {
  if (column === null) {
    return (
      <th scope="col" class={name}>
        {label}
      </th>
    );
  }
  const isSorted = sort.column === column;
  const next = isSorted ? !sort.isDescending : (isDescendingFirst ?? false);
  return (
    <th scope="col" class={name} aria-sort={isSorted ? (sort.isDescending ? "descending" : "ascending") : undefined}>
      <button type="button" class="sorter" onClick={() => setQuery({ sort: `${next ? "-" : ""}${column}` })}>
        {label}
        {isSorted && <Icon name={sort.isDescending ? "down" : "up"} />}
      </button>
    </th>
  );
}
