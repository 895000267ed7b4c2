import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

const candidates = [
  process.env.CHROMIUM_PATH,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Where a Chromium lies, null where there is none; then it says once how to get one. */
export function findChromium(): string | null {
  const path = candidates.find((one) => one !== undefined && existsSync(one)) ?? null;
  if (path === null) {
    console.warn("browser tests skipped: install one with `apt-get install chromium`, or set CHROMIUM_PATH to yours");
  }
  return path;
}

export function launch(executablePath: string): Promise<Browser> {
  const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
  return chromium.launch({ executablePath, args: ["--headless", "--no-sandbox", "--disable-gpu", ...quiet] });
}

/** The bundle as users get it, in a folder of its own. */
export async function buildDashboard(): Promise<{ dist: string; remove: () => void }> {
  const dist = mkdtempSync(join(tmpdir(), "dashboard-"));
  const root = new URL("../../web", import.meta.url).pathname;
  await build({ root, configFile: join(root, "vite.config.ts"), logLevel: "error", build: { outDir: dist } });
  return { dist, remove: () => rmSync(dist, { recursive: true, force: true }) };
}

export type View = { size: "desk" | "phone"; theme: "light" | "dark" };

/** A page that keeps what the console and uncaught errors say. */
export async function openPage(browser: Browser, { size, theme }: View): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({
    viewport: size === "desk" ? { width: 1440, height: 900 } : { width: 390, height: 844 },
    colorScheme: theme,
    reducedMotion: "reduce",
    timezoneId: "Europe/Brussels",
  });
  // On a busy machine a page takes long; what never comes fails all the same.
  page.setDefaultTimeout(100_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return { page, complaints };
}

/** A picture for people, in an ignored folder. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = new URL("../artifacts/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** What axe finds against WCAG 2.2 A and AA and good practice, as "rule: selector". */
export async function violations(page: Page): Promise<string[]> {
  // Not as a script tag: the page\'s policy allows none.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const found: { violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] } =
    await page.evaluate("axe.run(document)");
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(" ")} (${node.failureSummary.split("\n").at(-1)?.trim()})`),
  );
}
