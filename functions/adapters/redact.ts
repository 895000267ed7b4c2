const redacted = "[redacted]";
const secretName =
  /pass(word|wd|phrase)|secret|token|credential|signature|authori[sz]ation|cookie|api[-_]?key|connectionstring|databaseurl/i;

/** Forms in which texts, mostly of drivers' errors, quote a secret; each keeps what tells where it belongs. */
const forms: [RegExp, string][] = [
  // user:password@ in a URL; a password may hold anything, so all up to the last @ of the line goes.
  [/(\w+:\/\/[^\s:/@]*):[^\n]+@/g, `$1:${redacted}@`],
  // name=value and "name": "value", in queries, connection strings, environments and JSON.
  [
    /([\w-]*(?:pass(?:word|wd|phrase)|secret|token|credential|signature|api[-_]?key)[\w-]*\\?["']?\s*[=:]\s*)('[^']*'|\\?"[^"]*"|[^\s&"',;}]+)/gi,
    `$1${redacted}`,
  ],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${redacted}`],
  [/\b(ilp_[0-9A-Za-z]+)_[0-9A-Za-z]+/g, `$1_${redacted}`],
  [/\b(ilps_[0-9a-f]+)\.[0-9a-f]+/g, `$1.${redacted}`],
];

/** A text without the secrets in it that can be told by their form. */
export function redactText(text: string): string {
  return forms.reduce((left, [form, replacement]) => left.replace(form, replacement), text);
}

/** A deep copy as plain data: errors described, fields named like a secret and secrets in texts replaced. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Error) return redact(describeError(value), depth);
  if (depth > 8) return "[deep]";
  if (Array.isArray(value)) return value.map((one) => redact(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      const isSecret = secretName.test(name) && one !== null && typeof one !== "boolean";
      return [name, isSecret ? redacted : redact(one, depth + 1)];
    }),
  );
}

/** An error as plain data, causes included; other objects as they are, and anything else as its text. */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === "object" ? error : String(error);
  const code = "code" in error ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) };
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
