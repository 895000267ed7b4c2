/** value * scale + offset: from what a column holds to a target's unit. */
export type Conversion = { scale: number; offset: number };

const conversions: Record<string, Conversion> = {
  "°F>°C": { scale: 5 / 9, offset: -160 / 9 },
  "°C>°F": { scale: 9 / 5, offset: 32 },
  "K>°C": { scale: 1, offset: -273.15 },
  "°F>K": { scale: 5 / 9, offset: 273.15 - 160 / 9 },
  "Pa>hPa": { scale: 1 / 100, offset: 0 },
  "kPa>hPa": { scale: 10, offset: 0 },
  "inHg>hPa": { scale: 33.863886, offset: 0 },
  "mmHg>hPa": { scale: 1.33322387, offset: 0 },
  "W>kW": { scale: 1 / 1000, offset: 0 },
  "Wh>kWh": { scale: 1 / 1000, offset: 0 },
  "mph>m/s": { scale: 0.44704, offset: 0 },
  "km/h>m/s": { scale: 1 / 3.6, offset: 0 },
};

const spellings: Record<string, string> = {
  F: "°F",
  C: "°C",
  fahrenheit: "°F",
  celsius: "°C",
  kelvin: "K",
  mbar: "hPa",
};

/** How `from` becomes `to`; null where that is not known. */
export function conversionOf(from: string, to: string): Conversion | null {
  const [a, b] = [from, to].map((unit) => spellings[unit] ?? unit);
  if (a === b) return { scale: 1, offset: 0 };
  return conversions[`${a}>${b}`] ?? null;
}

/**
 * How a value outside a target's range would lie inside it, as a question and what to set; null where nothing simple
 * would do.
 */
export function guessConversion(
  value: number,
  target: { unit: string; min: number; max: number },
): { question: string; set: string } | null {
  const isInside = (converted: number) => converted >= target.min && converted <= target.max;
  const isTemperature = target.unit === "°C" || target.unit === "C";
  if (isTemperature && value >= 223 && value <= 333) return { question: "kelvin?", set: '"sourceUnit": "K"' };
  if (isTemperature && value > target.max && value <= 140) return { question: "°F?", set: '"sourceUnit": "°F"' };
  const parts: [number, string][] = [
    [10, "tenths?"],
    [100, "hundredths?"],
    [1000, "thousandths?"],
  ];
  const [divisor, question] = parts.find(([by]) => isInside(value / by) && Math.abs(value) >= by / 10) ?? [];
  return divisor === undefined || question === undefined ? null : { question, set: `"scale": ${1 / divisor}` };
}
