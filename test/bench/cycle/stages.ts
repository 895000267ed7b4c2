import { readdirSync, readFileSync } from "node:fs";
import type { ForecastPorts } from "../../../core/operations/forecast.ts";

const names = ["read", "context", "inference", "store", "score"] as const;
export type Stage = (typeof names)[number];
type Cost = { wallMs: number; cpuMs: number };

/**
 * One pass: its whole cost, that of each stage, and what the Postgres servers worked for it (they overlap with
 * `wallMs`).
 */
export type Measured = Cost & {
  stages: Record<Stage, Cost>;
  postgresCpuMs: number;
  /** Of these the follower's, with the primary that it stands by. */
  followerCpuMs: number;
};

export type Servers = Partial<Record<"main" | "follower" | "predictor", number>>;

/**
 * The ports with their calls charged to stages. `score` is a whole pass of
 * scoring and learning; `context` is what is left: grids, quality, encoding, decoding. Calls of one
 * stage that overlap are charged once. CPU is this process's, all threads; a call that waits for a database costs none.
 */
export function stagesOf(ports: ForecastPorts, servers: () => Servers) {
  let charged = newCosts();
  const open: Partial<Record<Stage, { calls: number; from: Cost }>> = {};

  function timed<Args extends unknown[], Result>(stage: Stage, call: (...args: Args) => Promise<Result>) {
    return async (...args: Args): Promise<Result> => {
      const running = open[stage] ?? { calls: 0, from: now() };
      open[stage] = running;
      running.calls++;
      try {
        return await call(...args);
      } finally {
        running.calls--;
        if (running.calls === 0) {
          add(charged[stage], minus(now(), running.from));
          delete open[stage];
        }
      }
    };
  }

  const wrapped: ForecastPorts = {
    ...ports,
    follower: { ...ports.follower, readWindows: timed("read", ports.follower.readWindows) },
    registry: {
      ...ports.registry,
      champions: timed("read", ports.registry.champions),
      challengers: timed("read", ports.registry.challengers),
    },
    adaptations: { ...ports.adaptations, load: timed("read", ports.adaptations.load) },
    inference: { ...ports.inference, run: timed("inference", ports.inference.run) },
    fleetInference: {
      ...ports.fleetInference,
      open: timed("inference", ports.fleetInference.open),
      parts: timed("inference", ports.fleetInference.parts),
      run: timed("inference", ports.fleetInference.run),
    },
    ledger: {
      ...ports.ledger,
      decided: timed("read", ports.ledger.decided),
      record: timed("store", ports.ledger.record),
    },
  };

  return {
    ports: wrapped,
    /** Charged as a whole, whatever ports it calls. */
    score: (pass: () => Promise<void>) => timed("score", pass)(),
    async measure(pass: () => Promise<void>): Promise<Measured> {
      charged = newCosts();
      const from = now();
      const serversFrom = cpuOf(servers());
      await pass();
      const whole = minus(now(), from);
      const serversTo = cpuOf(servers());
      const known = names.reduce((sum, name) => add(sum, charged[name]), { wallMs: 0, cpuMs: 0 });
      charged.context = minus(whole, known);
      const followerCpuMs = serversTo.follower - serversFrom.follower;
      const postgresCpuMs = followerCpuMs + serversTo.predictor - serversFrom.predictor;
      return { ...whole, stages: structuredClone(charged), postgresCpuMs, followerCpuMs };
    },
  };
}

function newCosts(): Record<Stage, Cost> {
  const cost = () => ({ wallMs: 0, cpuMs: 0 });
  return { read: cost(), context: cost(), inference: cost(), store: cost(), score: cost() };
}

function now(): Cost {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

function minus(a: Cost, b: Cost): Cost {
  return { wallMs: a.wallMs - b.wallMs, cpuMs: a.cpuMs - b.cpuMs };
}

function add(sum: Cost, more: Cost): Cost {
  sum.wallMs += more.wallMs;
  sum.cpuMs += more.cpuMs;
  return sum;
}

function cpuOf({ main, follower, predictor }: Servers) {
  return { follower: cpuOfServers([main, follower]), predictor: cpuOfServers([predictor]) };
}

/** CPU of the servers and their backends, living and dead, in ms; 0 where there is no /proc. */
function cpuOfServers(pids: (number | undefined)[]): number {
  const wanted = new Set(pids);
  let ticks = 0;
  for (const name of processes()) {
    const stat = read(`/proc/${name}/stat`);
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [utime = 0, stime = 0, childrenUtime = 0, childrenStime = 0] = fields.slice(11, 15);
    if (wanted.has(Number(name))) ticks += utime + stime + childrenUtime + childrenStime;
    else if (wanted.has(fields[1])) ticks += utime + stime;
  }
  return ticks * 10;
}

function processes(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
