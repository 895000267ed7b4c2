import type { Target } from "../../core/data/reading.ts";

/** Quantities that columns and keys are often named after, with a range that their sensors have. */
const quantities: { pattern: RegExp; target: Target }[] = [
  {
    pattern: /^(air_?)?(temp|temperature|temperatur|tmp|t)(_?(c|f|celsius|fahrenheit))?$/i,
    target: { name: "temperature", unit: "°C", min: -40, max: 85 },
  },
  {
    pattern: /^(relative_?)?(hum|humidity|humid|rh|feuchte|luftfeuchte|h)(_?(pct|percent))?$/i,
    target: { name: "humidity", unit: "%", min: 0, max: 100 },
  },
  { pattern: /^(eco2|co2)(_?ppm)?$/i, target: { name: "co2", unit: "ppm", min: 0, max: 10_000 } },
  {
    pattern: /^(barometric_?)?(pressure|press|druck|p)(_?(hpa|pa|kpa|mbar))?$/i,
    target: { name: "pressure", unit: "hPa", min: 300, max: 1100 },
  },
  {
    pattern: /^(lux|light|illuminance|brightness)$/i,
    target: { name: "illuminance", unit: "lx", min: 0, max: 200_000 },
  },
  { pattern: /^(pm2_?5|pm25)$/i, target: { name: "pm2_5", unit: "µg/m³", min: 0, max: 2000 } },
  { pattern: /^(power|leistung)(_?(w|watt|watts))?$/i, target: { name: "power", unit: "W", min: -1e6, max: 1e6 } },
  {
    pattern: /^(voltage|volt|volts|batt(ery)?_?v(oltage)?)$/i,
    target: { name: "voltage", unit: "V", min: 0, max: 1000 },
  },
  { pattern: /^(wind_?speed)$/i, target: { name: "windSpeed", unit: "m/s", min: 0, max: 100 } },
  { pattern: /^(soil_?)?moisture$/i, target: { name: "moisture", unit: "%", min: 0, max: 100 } },
];

/** The quantity that a column or key of this name holds; null where the name says nothing. */
export function quantityNamed(name: string): Target | null {
  const last = name.split(/[./]/).at(-1) ?? name;
  return quantities.find(({ pattern }) => pattern.test(last))?.target ?? null;
}
