import type { AnyOptions } from "./operations.ts";

/**
 * An id as a path's segment: `.` and `..` cannot stand there, however they are escaped, and are written `~.` and `~..`;
 * an id that looks like that gets one more `~`.
 */
export function escapeDots(id: string): string {
  return /^~*\.{1,2}$/.test(id) ? `~${id}` : id;
}

/** "/v1/sensors/{id}" with the values of `path` in it, and the query's that are neither null nor undefined. */
export function addressOf(base: string, template: string, { path = {}, query = {} }: AnyOptions): string {
  const written = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = path[name];
    if (value === undefined) throw new TypeError(`${template} wants path.${name}`);
    return encodeURIComponent(escapeDots(String(value)));
  });
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  return base.replace(/\/+$/, "") + written + (parameters.size === 0 ? "" : `?${parameters}`);
}
