import { connectAsync, type MqttClient } from "mqtt";
import type { Sender } from "../../../core/alert/outbox.ts";
import type { Notice } from "../../../core/alert/ports.ts";
import type { Forecast } from "../../../core/forecast/forecast.ts";
import type { Profile } from "../../../core/forecast/profile.ts";
import { once } from "../../../core/once.ts";
import { addSeconds } from "../../../core/time.ts";

export type MqttOptions = { url: string; prefix: string; discoveryPrefix: string };

/** Newest forecasts and alerts on a broker, retained, with what Home Assistant needs to find them. */
export type Broker = {
  send: Sender;
  /** Each sensor's newest served forecasts. */
  publish(forecasts: Forecast[], profiles: Map<string, Profile>): Promise<void>;
  close(): Promise<void>;
};

const timeoutMs = 10_000;
const lasting = { qos: 1, retain: true } as const;

/** Connects at the first message, and again by itself after that. */
export function mqttBroker({ url, prefix, discoveryPrefix }: MqttOptions): Broker {
  const open = once(async () => connectAsync(url, { connectTimeout: timeoutMs, reconnectPeriod: 5_000 }, false));
  const announced = new Set<string>();
  const put = async (client: MqttClient, topic: string, body: unknown) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    await client.publishAsync(topic, text, lasting);
  };
  const announce = async (client: MqttClient, component: string, id: string, config: object) => {
    if (announced.has(id)) return;
    await put(client, `${discoveryPrefix}/${component}/${id}/config`, { unique_id: id, ...config });
    announced.add(id);
  };
  return {
    async send(_, batch) {
      const client = await open();
      for (const notice of batch.notices) {
        if (notice.kind === "test") {
          await client.publishAsync(`${prefix}/test`, JSON.stringify(notice), { qos: 1 });
          continue;
        }
        const { rule, sensor } = notice;
        const topic = `${prefix}/${segment(sensor?.sensorId ?? "system")}/alert/${segment(rule.ruleId)}`;
        await announce(client, "binary_sensor", idOf(sensor?.sensorId ?? "system", rule.ruleId), {
          name: rule.name,
          state_topic: topic,
          // Blind is neither on nor off: there it is not available, and its state unknown.
          value_template: "{{ value_json.state if value_json.state != 'unavailable' else 'None' }}",
          availability_topic: topic,
          availability_template: "{{ 'offline' if value_json.state == 'unavailable' else 'online' }}",
          json_attributes_topic: topic,
          device_class: "problem",
          device: deviceOf(sensor?.sensorId ?? "system", sensor?.name ?? null),
        });
        await put(client, topic, { state: stateOf(notice), ...notice });
      }
      return { isOk: true, detail: `published ${batch.notices.length} of ${batch.total}` };
    },

    async publish(forecasts, profiles) {
      const client = await open();
      for (const forecast of forecasts.filter((one) => one.isServed)) {
        const { sensorId, target, unit, origin, issuedAt, stepSeconds, leads, method, reason } = forecast;
        const topic = `${prefix}/${segment(sensorId)}/${segment(target)}/forecast`;
        const { q10, q50, q90 } = forecast;
        const targetAt = leads.map((lead) => addSeconds(origin, lead * stepSeconds).toISOString());
        await announce(client, "sensor", idOf(sensorId, target), {
          name: `${target} forecast`,
          state_topic: topic,
          // The last lead within an hour, else the first.
          value_template: `{{ value_json.q50[${Math.max(
            0,
            leads.findLastIndex((lead) => lead * stepSeconds <= 3_600),
          )}] }}`,
          json_attributes_topic: topic,
          unit_of_measurement: unit,
          state_class: "measurement",
          device: deviceOf(sensorId, profiles.get(sensorId)?.name ?? null),
        });
        const times = { origin: origin.toISOString(), issuedAt: issuedAt.toISOString() };
        await put(client, topic, { sensorId, target, unit, ...times, method, reason, targetAt, q10, q50, q90 });
      }
    },

    async close() {
      await (await open()).endAsync();
    },
  };
}

function stateOf({ kind }: Notice): "ON" | "OFF" | "unavailable" {
  if (kind === "blinded") return "unavailable";
  return kind === "cleared" ? "OFF" : "ON";
}

/** An id as one level of a topic: "/", "+" and "#" mean something there. */
function segment(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** What Home Assistant takes as an id: letters, digits, - and _. */
function idOf(...parts: string[]): string {
  return ["iot_lstm_predictor", ...parts]
    .map((part) =>
      segment(part)
        .replaceAll("%", "_")
        .replaceAll(/[^\w-]/g, "_"),
    )
    .join("_");
}

function deviceOf(sensorId: string, name: string | null) {
  return { identifiers: [idOf(sensorId)], name: name ?? sensorId, manufacturer: "IoT LSTM Predictor" };
}
