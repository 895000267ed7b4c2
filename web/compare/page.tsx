import { useState } from "preact/hooks";
import { api, settle } from "../api/client.ts";
import type { Sensor } from "../client/client.ts";
import { formatNumber, formatTime, titleOf, withUnit } from "../format.ts";
import { LinePlot } from "../plots/line-plot.tsx";
import type { LineSeries } from "../plots/line-series.ts";
import { csvName } from "../sensor/csv.ts";
import { download } from "../shell/download.ts";
import { useLive } from "../shell/live.ts";
import { usePreferences } from "../shell/preferences.ts";
import { navigate, sensorHref } from "../shell/route.ts";
import { Empty, Failed, Notice, Skeleton } from "../shell/states.tsx";
import { compareToCsv } from "./csv.ts";
import { chosenIn, compare, compareHref, mostCompared } from "./lines.ts";

const looks: LineSeries["look"][] = ["model", "persistence", "seasonal", "fourth", "fifth"];
const mostSuggested = 20;

/** Up to five sensors on one chart: the last day and what is forecast. Its address says which and of what. */
export function ComparePage({ query }: { query: URLSearchParams }) {
  const chosen = chosenIn(query);
  const asked = query.get("target");
  const sensors = useLive<{ found: Sensor[]; missing: string[] }>(
    `compare ${JSON.stringify(chosen)}`,
    async (signal) => {
      const answers = await Promise.all(
        chosen.map((id) => settle(api.get("/v1/sensors/{id}", { path: { id }, signal }))),
      );
      const failed = answers.find((one) => !one.ok && one.failure.kind !== "notFound");
      if (failed !== undefined && !failed.ok) return failed;
      const found = answers.flatMap((one) => (one.ok ? [one.data] : []));
      return { ok: true, data: { found, missing: chosen.filter((_, i) => answers[i]?.ok === false) } };
    },
  );
  const found = sensors.data?.found ?? [];
  const targets = [...new Set(found.flatMap((sensor) => sensor.targets.map((one) => one.target)))];
  const target = targets.find((one) => one === asked) ?? targets[0] ?? null;
  const show = (ids: string[]) => navigate(compareHref(ids, target));
  return (
    <div class="page">
      <div class="title">
        <h1>Compare</h1>
        <span class="muted">Up to {mostCompared} sensors on one chart: the last day, and the medians ahead.</span>
      </div>
      <div class="toolbar">
        <AddSensor isFull={chosen.length >= mostCompared} onAdd={(id) => show([...chosen, id])} />
        <label class="field">
          <span>Of</span>
          <select
            value={target ?? ""}
            disabled={target === null}
            onChange={(event) => navigate(compareHref(chosen, event.currentTarget.value), true)}
          >
            {targets.map((one) => (
              <option key={one} value={one}>
                {titleOf(one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {chosen.length > 0 && (
        <ul class="chosen" aria-label="Sensors that are compared">
          {chosen.map((id) => (
            <li key={id}>
              <a href={sensorHref(id)} data-route>
                {id}
              </a>
              <button
                type="button"
                class="button button-quiet"
                aria-label={`Leave ${id} out`}
                onClick={() => show(chosen.filter((one) => one !== id))}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {(sensors.data?.missing ?? []).map((id) => (
        <Notice key={id} tone="warn">
          There is no sensor “{id}”.
        </Notice>
      ))}
      {chosen.length === 0 ? (
        <Empty title="No sensor yet">Add one by its id; the address of this page keeps what is chosen.</Empty>
      ) : sensors.data === null || sensors.isOutdated ? (
        sensors.failure === null ? (
          <Skeleton height={300} label="Loading the sensors" />
        ) : (
          <Failed failure={sensors.failure} onRetry={sensors.retry} />
        )
      ) : (
        target !== null && <Chart sensors={found} target={target} />
      )}
    </div>
  );
}

function Chart({ sensors, target }: { sensors: Sensor[]; target: string }) {
  const { zone } = usePreferences();
  const { at, lines, nowIndex, unit } = compare(sensors, target);
  const decimals = 2;
  const value = (one: number) => withUnit(formatNumber(one, decimals), unit);
  const now = lines.map(({ name, values }) => {
    const last = nowIndex === null ? null : values.slice(0, nowIndex + 1).findLast((one) => one !== null);
    return `${name} ${last == null ? "has no reading" : value(last)}`;
  });
  return (
    <div class="panel">
      <h2 class="sr-only">On one chart</h2>
      <LinePlot
        title={titleOf(target)}
        summary={`Now: ${now.join(", ")}.`}
        labels={at.map((one) => formatTime(one, zone, "clock"))}
        places={at}
        labelName="at"
        series={lines.map(({ name, values }, i) => ({ name, values, look: looks[i] ?? "model" }))}
        formatValue={value}
        formatTick={(one, places) => formatNumber(one, places)}
        span={null}
        {...(nowIndex === null ? {} : { marks: [{ index: nowIndex, name: "forecast from here on" }] })}
      />
      <button
        type="button"
        class="link csv"
        aria-label={`${titleOf(target)} as CSV`}
        onClick={() => download(csvName("compare", target), compareToCsv(sensors, target))}
      >
        CSV
      </button>
    </div>
  );
}

function AddSensor({ isFull, onAdd }: { isFull: boolean; onAdd: (sensorId: string) => void }) {
  const [text, setText] = useState("");
  const known = useLive<string[]>(`suggestions ${text}`, async (signal) => {
    const query = { limit: mostSuggested, ...(text.trim() === "" ? {} : { q: text.trim() }) };
    const answer = await settle(api.get("/v1/sensors", { query, signal }));
    return answer.ok ? { ok: true, data: answer.data.items.map(({ sensorId }) => sensorId) } : answer;
  });
  return (
    <form
      class="field-row"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() === "") return;
        onAdd(text.trim());
        setText("");
      }}
    >
      <label class="field">
        <span>Sensor</span>
        <input
          list="known-sensors"
          value={text}
          disabled={isFull}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <datalist id="known-sensors">
        {(known.data ?? []).map((id) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      <button type="submit" class="button" disabled={isFull}>
        Add
      </button>
    </form>
  );
}
