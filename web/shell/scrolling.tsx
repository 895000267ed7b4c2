import type { ComponentChildren } from "preact";

/** A table in a box that scrolls by itself where it is wider than the page. */
export function Scrolling({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must take the keyboard's focus
    <section class="fleet-wrap table-scroll" tabIndex={0} aria-label={label}>
      <table class="plain numeric operations">{children}</table>
    </section>
  );
}
