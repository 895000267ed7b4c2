import { openSite } from "../site.ts";
import { serveProcess } from "./serve.ts";
import type { ApiGiven, ApiOpened, AskedByApi } from "./system.ts";

// API and dashboard: nothing is computed here, so that a read waits for no cycle and no training.
serveProcess<ApiGiven, ApiOpened, AskedByApi>(async ({ ground, port }, base, stack, ask) => {
  const onPort = { ...ground, config: { ...ground.config, port } };
  const { url, makeSignInUrl } = await openSite(onPort, base, stack, {
    forecast: (message) => ask("forecast", message),
    send: (queue, messages) => ask("send", queue, messages),
    counted: () => ask("counted"),
    backtest: (request) => ask("backtest", request),
    troubles: () => ask("troubles"),
  });
  const verbs = { makeSignInUrl: async () => makeSignInUrl?.() ?? url };
  return { opened: { url, needsSignIn: makeSignInUrl !== null }, verbs };
});
