import type { FleetPage as FleetPageData } from "../../functions/api/contract/fleet.ts";
import type { SensorStatus } from "../../functions/api/contract/sensors.ts";
import { getFleetPage } from "../api/requests.ts";
import { formatCount } from "../format.ts";
import { usePaged } from "../shell/paged.ts";
import { usePulse } from "../shell/pulse.ts";
import { setQuery } from "../shell/route.ts";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import { byAttention, type FleetRow, type Sort, type SortColumn, toApiSort, toRow } from "./rows.ts";
import { allStatuses } from "./status.tsx";
import { StatusStrip } from "./status-strip.tsx";
import { FleetTable } from "./table.tsx";
import { Toolbar } from "./toolbar.tsx";

const noCounts: Record<SensorStatus, number> = { refused: 0, stale: 0, baseline: 0, waiting: 0, ok: 0 };
const columns: SortColumn[] = ["attention", "sensor", "age", "chance", "skill", "coverage", "model"];

/** The query says which rows: ?search=room&status=stale,refused&sort=-skill. */
function readView(query: URLSearchParams): {
  search: string;
  statuses: SensorStatus[];
  group: string;
  sort: Sort;
} {
  const named = (query.get("status") ?? "").split(",");
  const text = query.get("sort") ?? "";
  const column = columns.find((one) => one === text.replace(/^-/, ""));
  return {
    search: query.get("search") ?? "",
    group: query.get("group") ?? "",
    statuses: allStatuses.filter((status) => named.includes(status)),
    sort: column === undefined ? byAttention : { column, isDescending: text.startsWith("-") },
  };
}

// A page that did not change keeps its rows.
const rowsByPage = new WeakMap<FleetPageData, FleetRow[]>();
function rowsOf(page: FleetPageData): FleetRow[] {
  const rows = rowsByPage.get(page) ?? page.items.map((sensor) => toRow(sensor, page.grid));
  rowsByPage.set(page, rows);
  return rows;
}

export function FleetPage({ query }: { query: URLSearchParams }) {
  const pulse = usePulse();
  const view = readView(query);
  const asked = {
    q: view.search.trim(),
    status: view.statuses.join(","),
    group: view.group,
    sort: toApiSort(view.sort),
  };
  const fleet = usePaged<FleetPageData>(`fleet ${JSON.stringify(asked)}`, (offset, limit, signal) =>
    getFleetPage(asked, offset, limit, signal),
  );
  const { newest } = fleet;
  const rowAt = (index: number) => {
    const { page, place } = fleet.pageOf(index);
    return (page && rowsOf(page)[place]) ?? null;
  };
  const counts = newest?.counts ?? noCounts;
  const fitting = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const isFiltered = asked.q !== "" || asked.status !== "" || asked.group !== "";
  const total = isFiltered ? Math.max(fitting, pulse.ops?.sensors ?? 0) : fitting;

  return (
    <div class="page">
      <h1 class="sr-only">Fleet</h1>
      <StatusStrip />
      <Toolbar
        search={view.search}
        statuses={view.statuses}
        counts={counts}
        total={total}
        shown={newest?.total ?? 0}
        group={view.group}
        isLoading={fleet.isLoading && newest !== null && total > 200}
      />
      {fleet.failure !== null && newest !== null && (
        <Notice tone="warn">
          <b>The list could not be refreshed.</b> {fleet.failure.detail}{" "}
          <button type="button" class="link" onClick={fleet.retry}>
            Try now
          </button>
        </Notice>
      )}
      {newest === null ? (
        fleet.failure !== null ? (
          <Failed failure={fleet.failure} onRetry={fleet.retry} />
        ) : (
          <Skeleton height={640} label="Loading the fleet" />
        )
      ) : newest.total === 0 && !isFiltered ? (
        <Empty title="No sensors yet">
          A sensor appears here with its first reading in the follower database. If readings are there already, run{" "}
          <code>npm run check-source</code>: it says what it finds and what to change.
        </Empty>
      ) : newest.total === 0 ? (
        <Empty title="No sensor fits">
          None of {formatCount(total)} sensors has this text, status and group.{" "}
          <button type="button" class="link" onClick={() => setQuery({ search: null, status: null, group: null })}>
            Show all
          </button>
        </Empty>
      ) : (
        <FleetTable count={newest.total} rowAt={rowAt} onShow={fleet.show} sort={view.sort} />
      )}
    </div>
  );
}
