import { useEffect, useState } from "preact/hooks";
import { escapeDots } from "../client/client.ts";

/** Where the person is: the path says which page, the query what of it is shown. */
export type Route = { path: string; query: URLSearchParams };

const changed = "routechange";

function read(): Route {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** Goes to a page of this app; `replace` for changes that "back" should not step through. */
export function navigate(href: string, replace = false): void {
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  dispatchEvent(new Event(changed));
}

/** Changes parts of the query and keeps the rest; null takes a part away. */
export function setQuery(changes: Record<string, string | null>, replace = true): void {
  const { path, query } = read();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const search = query.toString();
  navigate(search === "" ? path : `${path}?${search}`, replace);
}

export function useRoute(): Route {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const update = () => setRoute(read());
    const follow = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a[data-route]") : null;
      if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented || event.button !== 0) return;
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      navigate(link.pathname + link.search);
      scrollTo(0, 0);
    };
    addEventListener(changed, update);
    addEventListener("popstate", update);
    document.addEventListener("click", follow);
    return () => {
      removeEventListener(changed, update);
      removeEventListener("popstate", update);
      document.removeEventListener("click", follow);
    };
  }, []);
  return route;
}

export function sensorHref(sensorId: string): string {
  const path = `/sensors/${encodeURIComponent(escapeDots(sensorId))}`;
  // A server may take a last part with a dot for a file; a slash after it says that it is none.
  return sensorId.includes(".") ? `${path}/` : path;
}

export function modelHref(modelId: string): string {
  const path = `/models/${encodeURIComponent(escapeDots(modelId))}`;
  return modelId.includes(".") ? `${path}/` : path;
}

/** The id that a decoded segment stands for. */
export function unescapeDots(segment: string): string {
  return /^~+\.{1,2}$/.test(segment) ? segment.slice(1) : segment;
}
