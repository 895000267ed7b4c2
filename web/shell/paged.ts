import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Answer, Failure } from "../api/client.ts";
import { useLive } from "./live.ts";
import { usePulse } from "./pulse.ts";

/** A long list of which only the pages that are looked at are loaded, and kept fresh. */
export type Paged<Page> = {
  /** What the newest page says of the whole list; null before the first one. */
  newest: Page | null;
  /** The page with this row, null while it is not here; and the row's place in it. */
  pageOf: (row: number) => { page: Page | null; place: number };
  /** Says which rows, [first, end), can be seen. */
  show: (first: number, end: number) => void;
  failure: Failure | null;
  isLoading: boolean;
  retry: () => void;
};

type Load<Page> = (offset: number, limit: number, signal: AbortSignal) => Promise<Answer<Page>>;
type Kept<Page> = { key: string; newest: Page; pages: Map<number, { page: Page; beat: string }> };

const pageSize = 50;
/** While somebody scrolls, pages that only fly past are not asked for. */
const settleMs = 80;
const mostPages = 40;

/**
 * Loads the pages on screen when `key` (what is listed, in which order) changes, when others come into sight, and at
 * every beat of the server; what was loaded at this beat is not asked for again.
 */
export function usePaged<Page>(key: string, load: Load<Page>): Paged<Page> {
  const pulse = usePulse();
  const [shown, setShown] = useState({ first: 0, last: 0 });
  const kept = useRef<Kept<Page> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const live = useLive<Kept<Page>>(`${key} ${shown.first} ${shown.last}`, async (signal) => {
    const isSame = kept.current?.key === key;
    const pages = new Map(isSame ? kept.current?.pages : []);
    const wanted = Array.from({ length: shown.last - shown.first + 1 }, (_, i) => shown.first + i);
    const asked = wanted.filter((index) => pages.get(index)?.beat !== pulse.beat);
    if (isSame && kept.current && asked.length === 0) return { ok: true, data: kept.current };
    const answers = await Promise.all(asked.map((index) => load(index * pageSize, pageSize, signal)));
    let newest = isSame ? kept.current?.newest : undefined;
    for (const [i, answer] of answers.entries()) {
      if (!answer.ok) return answer;
      newest = answer.data;
      pages.set(asked[i]!, { page: answer.data, beat: pulse.beat });
    }
    for (const index of pages.keys()) if (pages.size > mostPages && !wanted.includes(index)) pages.delete(index);
    kept.current = { key, newest: newest!, pages };
    return { ok: true, data: kept.current };
  });

  const show = useCallback((first: number, end: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      const next = { first: Math.floor(first / pageSize), last: Math.floor(Math.max(first, end - 1) / pageSize) };
      setShown((now) => (now.first === next.first && now.last === next.last ? now : next));
    }, settleMs);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);

  return {
    newest: live.data?.newest ?? null,
    pageOf: (row) => ({
      page: live.data?.pages.get(Math.floor(row / pageSize))?.page ?? null,
      place: row % pageSize,
    }),
    show,
    failure: live.failure,
    isLoading: live.isLoading,
    retry: live.retry,
  };
}
