/**
 * Saturation vapour pressure exponent over water, es = 6.112 exp(17.62 t / (243.12 + t)) hPa (Magnus; Sonntag 1990).
 */
function magnus(celsius: number): number {
  return (17.62 * celsius) / (243.12 + celsius);
}

/** Dew point in °C of air at `celsius` and `percent` relative humidity (at least 1 % is assumed); NaN for NaN. */
export function dewPoint(celsius: number, percent: number): number {
  const exponent = Math.log(Math.max(percent, 1) / 100) + magnus(celsius);
  return (243.12 * exponent) / (17.62 - exponent);
}

/** Absolute humidity in g/m³, 216.74 e / T with e in hPa and T in kelvin; NaN for NaN. */
export function absoluteHumidity(celsius: number, percent: number): number {
  return (216.74 * 6.112 * Math.exp(magnus(celsius)) * percent) / 100 / (273.15 + celsius);
}
