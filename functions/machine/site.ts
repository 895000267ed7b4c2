import { join } from "node:path";
import { makeLink } from "../../core/access/sessions.ts";
import type { Clock, Log } from "../../core/ports.ts";
import { createApi } from "../api/app.ts";
import type { Config } from "../config/environment.ts";
import { settingsOf } from "../config/settings.ts";
import { openAccess } from "../runtime/access.ts";
import { alertStores } from "../runtime/alerts.ts";
import { openApiDatabases } from "../runtime/follower.ts";
import { verificationLater } from "../runtime/models.ts";
import { openViews, predictorPorts } from "../runtime/predictor.ts";
import { deadline, openMetrics } from "../runtime/process.ts";
import { openDeadLetterList } from "../runtime/queues.ts";
import type { Ground } from "./ground.ts";
import { isLoopback } from "./hosts.ts";
import { createSite, listen } from "./server.ts";
import type { Workers } from "./workers.ts";

/** API and dashboard as they listen. */
export type Site = {
  url: string;
  /** Opens the dashboard once, as an administrator; null where nobody has to sign in, or people do at an issuer. */
  makeSignInUrl: (() => Promise<string>) | null;
};

/** What the API asks of the rest of the system. */
export type Beside = Workers & {
  /** What is known to be wrong with its other processes and servers, by name. */
  troubles(): Promise<Record<string, string>>;
};

const connections = 6;
const webFolder = join(import.meta.dirname, "../../web/dist");

/** Serves API and dashboard for as long as `opened` lives; its end lets running requests finish. */
export async function openSite(
  ground: Ground,
  { clock, log }: { clock: Clock; log: Log },
  opened: AsyncDisposableStack,
  beside: Beside,
): Promise<Site> {
  const { config, demo } = ground;
  const isDemo = demo !== null;
  const { follower, predictor, targets } = await openApiDatabases(config, { clock, log }, opened, connections);
  const access = await openAccess(config, predictor, { isLoopback: isLoopback(config.host) });
  const metrics = await openMetrics(config, "api");
  // Whoever is away has no samples.
  metrics.join(() => beside.counted().catch(() => []));
  const stores = { ...predictorPorts(predictor), ...alertStores(predictor, config) };
  const models = verificationLater(config, log, { withShipped: isDemo });
  const queue = { send: beside.send };
  const api = createApi({
    ports: { clock, log, follower, ...stores, queue, deadLetters: openDeadLetterList(predictor), ...models },
    views: openViews(predictor),
    // Who asked may leave: the forecast is everybody's.
    requestForecasts: (message) => deadline.outside(() => beside.forecast(message)),
    backtest: (request) => deadline.outside(() => beside.backtest(request)),
    settings: settingsOf(config, targets, { isDemo }).api,
    access,
    metrics,
    within: deadline.within,
    troubles: beside.troubles,
  });
  const rules = { host: config.host, names: namesOf(config) };
  const site = createSite((request, env) => api.fetch(request, env), webFolder, rules, config.embedOrigins);
  const server = await listen(site.fetch, config);
  opened.defer(() => server.close());
  const makeSignInUrl = async () => `${config.publicUrl ?? server.url}/sign-in#link=${await makeLink(access)}`;
  const needsLink = access.mode !== "open" && access.issuer === null;
  return { url: server.url, makeSignInUrl: needsLink ? makeSignInUrl : null };
}

/** What the server may be called beside its address. */
function namesOf({ allowedHosts, publicUrl }: Config): string[] {
  return publicUrl === null ? allowedHosts : [...allowedHosts, new URL(publicUrl).hostname];
}
