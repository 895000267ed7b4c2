type Line = { keyword: string; text: string };
export type Stage = { from: string; name: string | null; lines: Line[] };

/** The stages of a Dockerfile with their instructions, continued lines joined and comments dropped. */
export function stagesOf(dockerfile: string): Stage[] {
  const stages: Stage[] = [];
  const joined = dockerfile.replaceAll(/^#.*\n/gm, "").replaceAll(/\s*\\\n\s*/g, " ");
  for (const line of joined.split("\n").filter((text) => text.trim() !== "")) {
    const [keyword = "", ...rest] = line.split(" ");
    const text = rest.join(" ");
    if (keyword === "FROM") {
      const [from = "", , name = null] = rest;
      stages.push({ from, name, lines: [] });
    } else stages.at(-1)?.lines.push({ keyword, text });
  }
  return stages;
}
