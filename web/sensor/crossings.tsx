import { describeCrossing, describeLimits } from "../../core/alert/crossing-words.ts";
import type { CrossingAhead, SensorTarget } from "../../functions/api/contract/sensors.ts";
import { newRuleHref } from "../alerts/prefill.ts";
import { formatTime, type Zone } from "../format.ts";
import { Icon } from "../shell/icons.tsx";
import { usePreferences } from "../shell/preferences.ts";
import type { OwnLimits } from "./limits.ts";

type Props = { sensorId: string; target: SensorTarget; own: OwnLimits | null; isPast: boolean; isShared: boolean };

/** How likely the value goes beyond its limits, in words, and the way to a rule that tells so. */
export function Crossings({ sensorId, target, own, isPast, isShared }: Props) {
  const { zone } = usePreferences();
  const crossings = isPast ? [] : (target.crossings ?? []);
  const isBlind = !isPast && target.crossings === null && own !== null;
  return (
    <div class="crossings">
      {crossings.length > 0 && (
        <ul>
          {crossings.map((one) => (
            <li key={one.side} class={one.isBeyond || one.chance >= 0.2 ? "crossing is-likely" : "crossing"}>
              <Icon name={one.isBeyond || one.chance >= 0.2 ? "stale" : "ok"} />
              {crossingText(one, target.unit, zone)}
            </li>
          ))}
        </ul>
      )}
      {isBlind && <p class="muted">Nothing can say whether it crosses its limits: there is no fresh forecast.</p>}
      {!isShared && (
        <a class="button" href={newRuleHref(sensorId, target, own)} data-route>
          Alert on this…
        </a>
      )}
    </div>
  );
}

/** "above 26 °C from about 19:10, 35 %", by the clock that the page shows. */
export function crossingText({ side, limit, chance, crossesAt, isBeyond }: CrossingAhead, unit: string, zone: Zone) {
  const limits = side === "above" ? { high: limit } : { low: limit };
  if (isBeyond) return `${describeLimits(limits.low, limits.high, unit)} now`;
  const clock = (at: string) => formatTime(Date.parse(at), zone, "clock");
  return describeCrossing({ ...limits, unit, chance, crossesAt }, clock);
}
