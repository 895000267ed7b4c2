import type { SensorStatus } from "../../functions/api/contract/sensors.ts";
import { formatCount, plural } from "../format.ts";
import { Icon } from "../shell/icons.tsx";
import { setQuery } from "../shell/route.ts";
import { allStatuses, statusWords } from "./status.tsx";

type Props = {
  search: string;
  statuses: SensorStatus[];
  counts: Record<SensorStatus, number>;
  total: number;
  shown: number;
  /** A group's path; empty for all. */
  group: string;
  isLoading: boolean;
};

export function Toolbar({ search, statuses, counts, total, shown, group, isLoading }: Props) {
  const toggle = (status: SensorStatus) => {
    const next = statuses.includes(status) ? statuses.filter((one) => one !== status) : [...statuses, status];
    setQuery({ status: next.length === 0 ? null : next.join(",") });
  };
  return (
    <search class="toolbar">
      <label class="searchbox">
        <Icon name="search" />
        <span class="sr-only">Search sensors</span>
        <input
          type="search"
          placeholder="Search sensor, group, model, reason"
          value={search}
          onInput={(event) => setQuery({ search: event.currentTarget.value || null })}
        />
      </label>
      <fieldset class="filters">
        <legend class="sr-only">Status</legend>
        {allStatuses.map((status) => (
          <button
            key={status}
            type="button"
            class={`chip chip-${status}`}
            aria-pressed={statuses.includes(status)}
            disabled={counts[status] === 0 && !statuses.includes(status)}
            onClick={() => toggle(status)}
          >
            <Icon name={status} />
            {statusWords[status]}
            <span class="numeric">{formatCount(counts[status])}</span>
          </button>
        ))}
      </fieldset>
      {group !== "" && (
        <button type="button" class="chip" onClick={() => setQuery({ group: null })}>
          In {group}
          <span aria-hidden="true">×</span>
          <span class="sr-only">: show all groups</span>
        </button>
      )}
      <p class="shown muted numeric" role="status">
        {shown === total ? plural(total, "sensor") : `${formatCount(shown)} of ${plural(total, "sensor")}`}
        {isLoading && ", loading"}
      </p>
    </search>
  );
}
