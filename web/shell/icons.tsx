/** Drawn on a 16-unit grid in the text's colour; always beside a word, so hidden from screen readers. */
const iconPaths = {
  ok: "M3 8.5 6.5 12 13 4.5",
  baseline: "M2.5 11.5h11M2.5 8h1.5M6 8h1.5M9.5 8h1.5M13 8h.5M2.5 4.5h11",
  stale: "M8 2.2 14.4 13.4H1.6ZM8 6.4v3.2M8 11.4v.2",
  refused: "M4 4l8 8M12 4l-8 8",
  waiting: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 1 0 8 2.2M8 5v3.2l2.2 1.4",
  info: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 1 0 8 2.2M8 7.4v3.6M8 5v.2",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  play: "M5 3.2v9.6L12.6 8Z",
  left: "M10 3 5 8l5 5",
  right: "M6 3l5 5-5 5",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  table: "M2.5 3.5h11v9h-11ZM2.5 6.5h11M6.5 3.5v9",
  chart: "M2.5 2.5v11h11M5 10l3-3.5 2.2 1.8L13 4.5",
  search: "M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 1 0 0-8.4M10.2 10.2 13.5 13.5",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 1 0 0-6M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z",
  auto: "M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 1 0 8 2.2M8 2.2v11.6M8 5h3.6M8 8h5.6M8 11h3.6",
  reset: "M3.2 6.2A5.2 5.2 0 1 1 2.8 9M3 2.8v3.6h3.6",
} as const;
export type IconName = keyof typeof iconPaths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={iconPaths[name]} />
    </svg>
  );
}
