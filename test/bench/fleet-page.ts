import { setTimeout as sleep } from "node:timers/promises";
import { findChromium, launch } from "../web/browser.ts";
import { seedFleet } from "./api/fleet.ts";
import { startApiProcess } from "./api/process.ts";

// npm run bench:fleet-page -- [sensors]: the fleet page in a browser, after npm run build:web. Prints, as JSON, the
// time until rows are there and its script CPU, bytes that came, and the longest tasks of the page's main thread, by
// their own CPU and by the clock: on a shared machine the latter has what others took.
const sensors = Number(process.argv[2] ?? 10_000);
const executable = findChromium();
if (executable === null) process.exit(1);
const fleet = await seedFleet(sensors);
const server = await startApiProcess(fleet.url);
const browser = await launch(executable);
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
const devtools = await page.context().newCDPSession(page);
await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
await devtools.send("Network.enable");
let bytes = 0;
devtools.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));

const round = (value: number) => Math.round(value * 1000) / 1000;

/** Seconds of CPU of the page's main thread, all in all and in scripts. */
async function spent() {
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
  return { script: of("ScriptDuration"), tasks: of("TaskDuration"), layout: of("LayoutDuration") };
}

type Task = { dur: number; tdur: number };
type Trace = {
  traceEvents: {
    name: string;
    ph: string;
    pid: number;
    tid: number;
    dur?: number;
    tdur?: number;
    args?: { name?: string };
  }[];
};

/** The tasks of the pages' main threads, in ms of the clock and of CPU. */
function tasksOf({ traceEvents }: Trace): Task[] {
  const threads = traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const mains = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  return traceEvents
    .filter(({ name, ph, pid, tid }) => name.endsWith("RunTask") && ph === "X" && mains.has(`${pid} ${tid}`))
    .map(({ dur = 0, tdur = 0 }) => ({ dur: dur / 1000, tdur: tdur / 1000 }));
}

/** What `act` cost the page. */
async function measure(act: () => Promise<void>) {
  await browser.startTracing(page, { categories: ["toplevel", "disabled-by-default-toplevel.flow"] });
  const [before, bytesBefore, beganMs] = [await spent(), bytes, performance.now()];
  await act();
  const seconds = (performance.now() - beganMs) / 1000;
  const after = await spent();
  const tasks = tasksOf(JSON.parse((await browser.stopTracing()).toString()) as Trace);
  const longest = (of: (task: Task) => number) => Math.round(Math.max(0, ...tasks.map(of)));
  return {
    ...{
      seconds: round(seconds),
      script: round(after.script - before.script),
      layout: round(after.layout - before.layout),
    },
    ...{ tasks: round(after.tasks - before.tasks), kilobytes: Math.round((bytes - bytesBefore) / 1000) },
    longestTaskMs: { cpu: longest((task) => task.tdur), clock: longest((task) => task.dur) },
    tasksOver100MsCpu: tasks.filter((task) => task.tdur > 100).length,
  };
}

const row = page.locator("tr[data-row]").first();
const loaded = await measure(async () => {
  await page.goto(`http://127.0.0.1:${server.port}/`);
  await row.waitFor();
});
await sleep(1_000);
await page.mouse.move(700, 600);
const scrolled = await measure(async () => {
  for (let i = 0; i < 60; i++) {
    await page.mouse.wheel(0, 700);
    await sleep(50);
  }
});
const refreshed = await measure(async () => {
  await fleet.storeShard();
  await sleep(5_000);
});
console.log(JSON.stringify({ sensors, loaded, scrolled, refreshed }, null, 2));
await browser.close();
await server.stop();
await fleet.stop();
