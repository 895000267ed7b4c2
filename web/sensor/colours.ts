/** Colours for the canvas: the style sheet's variables as the present theme resolves them. */
const NAMES = {
  ink: "--ink",
  muted: "--muted",
  grid: "--grid",
  line: "--line-strong",
  paper: "--surface",
  future: "--future",
  wash: "--future-wash",
  band: "--band",
  edge: "--band-edge",
  overlay: "--overlay",
} as const;
export type Colours = Record<keyof typeof NAMES, string>;

export function readColours(): Colours {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const entries = Object.entries(NAMES).map(([name, variable]) => {
    probe.style.color = `var(${variable})`;
    return [name, style.color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Colours;
}
