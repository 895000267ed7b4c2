/** Colours for the canvas: the style sheet's variables as the present theme resolves them. */
const variables = {
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
  bad: "--bad",
  warn: "--warn",
} as const;
const names = [
  "ink",
  "muted",
  "grid",
  "line",
  "paper",
  "future",
  "wash",
  "band",
  "edge",
  "overlay",
  "bad",
  "warn",
] as const;
export type Colours = Record<keyof typeof variables, string>;

export function readColours(): Colours {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const colours: Colours = { ...variables };
  for (const name of names) {
    probe.style.color = `var(${variables[name]})`;
    colours[name] = style.color;
  }
  probe.remove();
  return colours;
}
