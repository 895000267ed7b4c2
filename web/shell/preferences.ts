import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Zone } from "../format.ts";

export type Theme = "auto" | "light" | "dark";
export type Preferences = {
  zone: Zone;
  setZone: (zone: Zone) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  /** What "auto" comes to now. */
  isDark: boolean;
};

export const PreferencesContext = createContext<Preferences | null>(null);

export function usePreferences(): Preferences {
  const preferences = useContext(PreferencesContext);
  if (preferences === null) throw new Error("no preferences");
  return preferences;
}

function stored<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
  try {
    const value = localStorage.getItem(name);
    return allowed.find((one) => one === value) ?? fallback;
  } catch {
    return fallback;
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

/** Keeps theme and time zone; to be called once, at the top. */
export function usePreferencesSource(): Preferences {
  const [theme, setTheme] = useState<Theme>(() => stored("theme", ["auto", "light", "dark"], "auto"));
  const [zone, setZone] = useState<Zone>(() => stored("zone", ["utc", "local"], "utc"));
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [systemIsDark, setSystemIsDark] = useState(query.matches);
  useEffect(() => {
    const update = () => setSystemIsDark(query.matches);
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, []);
  const isDark = theme === "dark" || (theme === "auto" && systemIsDark);
  return {
    zone,
    theme,
    isDark,
    setZone: (next) => {
      setZone(next);
      store("zone", next);
    },
    setTheme: (next) => {
      setTheme(next);
      store("theme", next);
      if (next === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = next;
    },
  };
}
