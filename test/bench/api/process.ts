import { readdirSync, readFileSync } from "node:fs";
import { readConfig } from "../../../functions/config/environment.ts";
import { forApi } from "../../../functions/machine/ground.ts";
import { keepProcess } from "../../../functions/machine/processes/keep.ts";
import type { ApiGiven, ApiOpened } from "../../../functions/machine/processes/system.ts";
import { openLog } from "../../../functions/runtime/process.ts";
import { cpuMsOfProcess, fieldsOf } from "../cpu.ts";

const pageBytes = 4096;

/** The API's process as `npm start` runs it, on one database for source and predictor; nobody works beside it. */
export async function startApiProcess(url: string) {
  const config = readConfig({
    ...{ FOLLOWER_DATABASE_URL: url, PREDICTOR_DATABASE_URL: url, ALLOW_WRITABLE_FOLLOWER: "true", PORT: "0" },
    // A client of the benchmark asks as much as a thousand people do. Its log goes where the figures go.
    ...{ READS_PER_SECOND: "100000", LOG_LEVEL: "warn", LOG_FORMAT: "json" },
  });
  const log = await openLog(config);
  const own = {
    counted: async () => [],
    troubles: async () => ({}),
  };
  const api = keepProcess<ApiGiven, ApiOpened, object>(
    "api",
    new URL("../../../functions/machine/processes/api.ts", import.meta.url),
    { log, own },
  );
  const ground = forApi({ config, ownerUrl: null, demo: null, isAlone: false });
  const opened = await api.open(() => ({ ground, port: 0 }));
  const pid = childNamed("processes/api.ts");
  return {
    port: Number(new URL(opened.url).port),
    /** Of the whole process, its threads included. */
    cpuMs: () => cpuMsOfProcess(pid),
    memoryBytes: () => pageBytes * Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]),
    stop: () => api.stop(),
  };
}

/** The child of ours whose command ends like this. */
function childNamed(name: string): string {
  const found = readdirSync("/proc").find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      return command.trim().endsWith(name) && Number(fieldsOf(pid)[1]) === process.pid;
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error(`no child of this process runs ${name}`);
  return found;
}
