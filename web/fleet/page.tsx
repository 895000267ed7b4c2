import { useMemo } from "preact/hooks";
import type { Sensor, SensorStatus } from "../../functions/api/contract.ts";
import { getFleet } from "../api/requests.ts";
import { formatCount } from "../format.ts";
import { useLive } from "../shell/live.ts";
import { setQuery } from "../shell/route.ts";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import { byAttention, type FleetRow, filterRows, type Sort, type SortColumn, sortRows, toRow } from "./rows.ts";
import { allStatuses } from "./status.tsx";
import { StatusStrip } from "./status-strip.tsx";
import { FleetTable } from "./table.tsx";
import { Toolbar } from "./toolbar.tsx";

const columns: SortColumn[] = ["attention", "sensor", "age", "skill", "coverage", "model"];

/** The query says which rows: ?search=room&status=stale,refused&sort=-skill. */
function readView(query: URLSearchParams): { search: string; statuses: SensorStatus[]; sort: Sort } {
  const named = (query.get("status") ?? "").split(",");
  const text = query.get("sort") ?? "";
  const column = columns.find((one) => one === text.replace(/^-/, ""));
  return {
    search: query.get("search") ?? "",
    statuses: allStatuses.filter((status) => named.includes(status)),
    sort: column === undefined ? byAttention : { column, isDescending: text.startsWith("-") },
  };
}

// A sensor that did not change keeps its row, so that only changed rows are drawn again.
const rowsBySensor = new WeakMap<Sensor, FleetRow>();
function rowOf(sensor: Sensor): FleetRow {
  let row = rowsBySensor.get(sensor);
  if (row === undefined) {
    row = toRow(sensor);
    rowsBySensor.set(sensor, row);
  }
  return row;
}

export function FleetPage({ query }: { query: URLSearchParams }) {
  const fleet = useLive<Sensor[]>("fleet", getFleet);
  const view = readView(query);
  const rows = useMemo(() => fleet.data?.map(rowOf) ?? [], [fleet.data]);
  const counts = useMemo(() => {
    const byStatus: Record<SensorStatus, number> = { refused: 0, stale: 0, baseline: 0, waiting: 0, ok: 0 };
    for (const row of rows) byStatus[row.status]++;
    return byStatus;
  }, [rows]);
  const shown = useMemo(
    () => sortRows(filterRows(rows, view.search, view.statuses), view.sort),
    [rows, query.toString()],
  );

  return (
    <div class="page">
      <h1 class="sr-only">Fleet</h1>
      <StatusStrip />
      <Toolbar
        search={view.search}
        statuses={view.statuses}
        counts={counts}
        total={rows.length}
        shown={shown.length}
        isLoading={fleet.isLoading && fleet.data !== null && rows.length > 200}
      />
      {fleet.failure !== null && fleet.data !== null && (
        <Notice tone="warn">
          <b>The list could not be refreshed.</b> {fleet.failure.detail}{" "}
          <button type="button" class="link" onClick={fleet.retry}>
            Try now
          </button>
        </Notice>
      )}
      {fleet.data === null ? (
        fleet.failure !== null ? (
          <Failed failure={fleet.failure} onRetry={fleet.retry} />
        ) : (
          <Skeleton height={640} label="Loading the fleet" />
        )
      ) : rows.length === 0 ? (
        <Empty title="No sensors yet">
          A sensor appears here with its first reading in the follower database. If readings are there already, run{" "}
          <code>npm run check-source</code>: it says what it finds and what to change.
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No sensor fits">
          None of {formatCount(rows.length)} sensors has this text and status.{" "}
          <button type="button" class="link" onClick={() => setQuery({ search: null, status: null })}>
            Show all
          </button>
        </Empty>
      ) : (
        <FleetTable rows={shown} sort={view.sort} />
      )}
    </div>
  );
}
