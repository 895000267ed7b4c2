import type { MiddlewareHandler } from "hono";

/** Nothing that a browser could lend is wanted. */
export const permissionsPolicy = {
  accelerometer: [],
  browsingTopics: [],
  camera: [],
  displayCapture: [],
  geolocation: [],
  gyroscope: [],
  magnetometer: [],
  microphone: [],
  midi: [],
  payment: [],
  serial: [],
  usb: [],
};

const varying = ["Accept", "Accept-Encoding", "Authorization", "Cookie", "Origin"];

/**
 * What caches may do with an answer: a browser keeps it and asks by ETag each time, nobody between keeps it, since the
 * next to ask may not be allowed to read it.
 */
export function forbidSharing(): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { headers } = c.res;
    if (!headers.has("Cache-Control")) headers.set("Cache-Control", "private, no-cache");
    const named = (headers.get("Vary") ?? "").split(",").map((name) => name.trim().toLowerCase());
    for (const name of varying) if (!named.includes(name.toLowerCase())) headers.append("Vary", name);
  };
}
