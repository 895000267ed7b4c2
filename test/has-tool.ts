import { execFileSync } from "node:child_process";

/**
 * Whether a tool is here that `npm ci` does not bring; without it what needs it is skipped, and says so. Where
 * everything must hold (CI) it has to be there.
 */
export function hasTool(tool: string, askingVersion = "--version"): boolean {
  try {
    execFileSync(tool, [askingVersion], { stdio: "ignore" });
    return true;
  } catch {
    if (process.env.CI) throw new Error(`${tool} is missing: what needs it cannot be tried`);
    console.warn(`tests were skipped: ${tool} is not installed`);
    return false;
  }
}
