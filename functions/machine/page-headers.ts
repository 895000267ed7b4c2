/** What the dashboard's pages may load and do; the same from this process and from the edge. */
export const pagePolicy = {
  defaultSrc: ["'self'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", "data:"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
};

/** The policy as the text of a Content-Security-Policy header. */
export function policyText(policy: Record<string, string[]>): string {
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return Object.entries(policy)
    .map(([name, sources]) => `${kebab(name)} ${sources.join(" ")}`)
    .join("; ");
}

/** The policy of a shared chart: the same, in frames of `origins` or, without any, in nobody's. */
export function framedPolicy(origins: string[]): typeof pagePolicy {
  return origins.length === 0 ? pagePolicy : { ...pagePolicy, frameAncestors: origins };
}

/** Where a shared chart is, alone of all pages that may stand in a frame. */
export const framedPath = "/embed";

/** Headers of the dashboard's pages where no server of ours sends them. */
export const pageHeaders: Record<string, string> = {
  "content-security-policy": policyText(pagePolicy),
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
