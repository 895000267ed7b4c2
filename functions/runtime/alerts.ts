import { randomBytes } from "node:crypto";
import type { Secrets } from "../../core/alert/secret.ts";
import type { Forecast } from "../../core/forecast/forecast.ts";
import { once } from "../../core/once.ts";
import type { AlertPorts } from "../../core/operations/alert-ports.ts";
import type { NotifyPorts } from "../../core/operations/notify.ts";
import type { Log, Ports } from "../../core/ports.ts";
import { systemClock } from "../adapters/clock.ts";
import type { Broker } from "../adapters/notify/mqtt.ts";
import { awsSecrets, variableSecrets } from "../adapters/notify/secrets.ts";
import { byKind, type Senders } from "../adapters/notify/senders.ts";
import { postgresAlerts } from "../adapters/postgres/alert/alerts.ts";
import { postgresChannels, postgresOutbox } from "../adapters/postgres/alert/outbox.ts";
import { postgresRules } from "../adapters/postgres/alert/rules.ts";
import type { Database } from "../adapters/postgres/connection/pool.ts";
import { postgresLeases } from "../adapters/postgres/leases.ts";
import type { PredictorSchema } from "../adapters/postgres/schema.ts";
import { createViews } from "../adapters/postgres/views.ts";
import { sealWith } from "../adapters/sealed.ts";
import type { Config } from "../config/environment.ts";

/** Rules, what fired, channels and the outbox, in the predictor database; who tells has `secrets` to look up. */
export function alertStores(
  { db }: Database<PredictorSchema>,
  { alertSecretKey }: Pick<Config, "alertSecretKey">,
  secrets?: Secrets,
) {
  const seal = sealWith(alertSecretKey);
  const stores = { channels: postgresChannels(db, seal), outbox: postgresOutbox(db, seal, secrets) };
  return { alerts: postgresAlerts(db), rules: postgresRules(db), ...stores };
}

/** What the rules need to look. */
export function alertPorts(
  predictor: Database<PredictorSchema>,
  { clock, log, queue, follower }: Pick<Ports, "clock" | "log" | "queue" | "follower">,
): AlertPorts {
  const { db } = predictor;
  return { clock, log, queue, follower, wall: systemClock(), alerts: postgresAlerts(db), views: createViews(db) };
}

/** What telling needs; senders are opened at their first use. */
export function notifyPorts(
  config: Config,
  predictor: Database<PredictorSchema>,
  { log, queue, broker }: { log: Log; queue: Ports["queue"]; broker: (() => Promise<Broker>) | null },
): NotifyPorts {
  return {
    ...{ log, queue, wall: systemClock(), leases: postgresLeases(predictor.db) },
    outbox: alertStores(predictor, config, secretsOf(config)).outbox,
    send: byKind(sendersOf(config, broker)),
    newHolder: () => randomBytes(12).toString("base64url"),
  };
}

/** The broker of MQTT_URL; null without one. */
export function openBroker({ mqttUrl: url, mqttPrefix, mqttDiscoveryPrefix }: Config): (() => Promise<Broker>) | null {
  if (url === null) return null;
  return once(async () => {
    const { mqttBroker } = await import("../adapters/notify/mqtt.ts");
    return mqttBroker({ url, prefix: mqttPrefix, discoveryPrefix: mqttDiscoveryPrefix });
  });
}

/** Newest forecasts on the broker; null without one. What the broker does not take costs nobody anything. */
export function publisherOf(
  broker: (() => Promise<Broker>) | null,
  { alerts, log }: Pick<AlertPorts, "alerts" | "log">,
) {
  if (broker === null) return null;
  return async (forecasts: Forecast[]) => {
    try {
      await (await broker()).publish(forecasts, (await alerts.book()).profiles);
    } catch (error) {
      log.warn("mqtt.notPublished", { forecasts: forecasts.length, error });
    }
  };
}

function secretsOf({ alertSecretPrefix: prefix, channelSecrets }: Config): Secrets {
  const variables = variableSecrets(channelSecrets);
  return { prefix, find: prefix === null ? variables : awsSecrets(variables) };
}

function sendersOf(config: Config, broker: (() => Promise<Broker>) | null): Senders {
  const http = { privateHosts: config.alertPrivateHosts, wall: systemClock() };
  const { smtpUrl, emailFrom: from } = config;
  const posts = () => import("../adapters/notify/http.ts");
  return {
    webhook: once(async () => (await posts()).webhookSender(http)),
    slack: once(async () => (await posts()).slackSender(http)),
    teams: once(async () => (await posts()).teamsSender(http)),
    email:
      from === null
        ? { lacks: "EMAIL_FROM" }
        : once(async () => (await import("../adapters/notify/email.ts")).emailSender({ smtpUrl, from })),
    sns: once(async () => (await import("../adapters/notify/sns.ts")).snsSender()),
    kafka: once(async () => (await import("../adapters/notify/kafka.ts")).kafkaSender(http)),
    mqtt: broker === null ? { lacks: "MQTT_URL" } : async () => (await broker()).send,
  };
}
