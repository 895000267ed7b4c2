import { useEffect, useState } from "preact/hooks";
import type { ForecastResponse } from "../../functions/api/contract/forecasts.ts";
import type { Alert } from "../api/alerts.ts";
import { getForecastsFrom } from "../api/requests.ts";
import { EventChart } from "./event-chart.tsx";

/** The forecast that made it fire, as it was issued, and what came; nothing for what looks at no value. */
export function FiringChart({ alert }: { alert: Alert }) {
  const [isOpen, setOpen] = useState(false);
  if (alert.sensorId === null || alert.evidence.target === undefined) return null;
  return (
    <details class="numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What made it fire</summary>
      {isOpen && <Chart alert={alert} sensorId={alert.sensorId} target={alert.evidence.target} />}
    </details>
  );
}

function Chart({ alert, sensorId, target }: { alert: Alert; sensorId: string; target: string }) {
  const { evidence } = alert;
  const firedAt = Date.parse(alert.firedAt);
  const isForecast = evidence.chance !== undefined;
  const forecast = useForecast(sensorId, target, Date.parse(evidence.origin ?? alert.firedAt), isForecast);
  if (isForecast && forecast === undefined) return <p class="muted">Loading the forecast</p>;
  const ends = [firedAt, alert.clearedAt, forecast?.targetAt.at(-1)].map((at) =>
    typeof at === "string" ? Date.parse(at) : (at ?? 0),
  );
  return (
    <EventChart
      {...{ sensorId, target, firedAt, forecast: forecast ?? null }}
      unit={evidence.unit ?? ""}
      limits={{ low: evidence.low ?? null, high: evidence.high ?? null }}
      from={firedAt}
      to={Math.max(...ends)}
      summary={`${sensorId}, ${alert.text}`}
    />
  );
}

/** The forecast of that origin; undefined until it has come, null where there is none. */
function useForecast(
  sensorId: string,
  target: string,
  origin: number,
  isAsked: boolean,
): ForecastResponse | null | undefined {
  const [forecast, setForecast] = useState<ForecastResponse | null | undefined>(undefined);
  useEffect(() => {
    if (!isAsked) return;
    const leaving = new AbortController();
    getForecastsFrom(sensorId, origin, leaving.signal)
      .then((answer) => setForecast((answer.ok && answer.data.items.find((one) => one.target === target)) || null))
      .catch(() => {});
    return () => leaving.abort();
  }, [sensorId, target, origin, isAsked]);
  return forecast;
}
