import { createServer, type Server } from "node:net";
import { Aedes } from "aedes";
import { connectAsync } from "mqtt";
import nunjucks from "nunjucks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Broker, mqttBroker } from "../../../../functions/adapters/notify/mqtt.ts";
import { someSlot } from "../../../builders.ts";
import { forecastOf } from "../../api/harness.ts";
import { batchOf, channelOf, noticeOf } from "./receivers.ts";

let aedes: Aedes;
let server: Server;
let url: string;
let broker: Broker;
beforeEach(async () => {
  aedes = await Aedes.createBroker();
  server = createServer(aedes.handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `mqtt://127.0.0.1:${(server.address() as { port: number }).port}`;
  broker = mqttBroker({ url, prefix: "iot", discoveryPrefix: "homeassistant" });
});
afterEach(async () => {
  await broker.close();
  await new Promise<void>((resolve) => aedes.close(() => resolve()));
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** What somebody who comes later finds: the retained messages of `topics`, `count` of them. */
async function retained(topics: string, count: number): Promise<Map<string, unknown>> {
  const client = await connectAsync(url);
  const found = new Map<string, unknown>();
  await new Promise<void>((resolve) => {
    client.on("message", (topic, body) => {
      found.set(topic, JSON.parse(String(body)));
      if (found.size === count) resolve();
    });
    client.subscribe(topics);
  });
  await client.endAsync();
  return found;
}

describe("a broker", () => {
  it("keeps a sensor's newest forecast, which Home Assistant finds", async () => {
    const forecast = forecastOf({ sensorId: "a/1" });
    await broker.publish([{ ...forecast, q50: forecast.q50.map((one) => one - 9) }], new Map());
    await broker.publish([forecast, { ...forecast, isServed: false, q50: [] }], new Map());
    const topics = await retained("#", 2);
    const body = topics.get("iot/a%2F1/temperature/forecast") as Record<string, unknown>;
    expect(body).toMatchObject({ sensorId: "a/1", unit: "°C", origin: someSlot.toISOString(), q50: forecast.q50 });
    const config = topics.get("homeassistant/sensor/iot_lstm_predictor_a_2F1_temperature/config");
    expect(config).toMatchObject({
      state_topic: "iot/a%2F1/temperature/forecast",
      unit_of_measurement: "°C",
      value_template: "{{ value_json.q50[5] }}",
      device: { name: "a/1" },
    });
  });

  it("keeps whether a rule fires, as a problem that is on or off", async () => {
    const send = (overrides: Parameters<typeof noticeOf>[0]) =>
      broker.send(channelOf({ kind: "mqtt" }), batchOf([noticeOf(overrides)]));
    expect(await send({})).toEqual({ isOk: true, detail: "published 1 of 1" });
    const topic = "iot/a%2F1/alert/r1";
    expect((await retained("iot/#", 1)).get(topic)).toMatchObject({ state: "ON", idempotencyKey: "k1" });
    await send({ kind: "blinded" });
    expect((await retained("iot/#", 1)).get(topic)).toMatchObject({ state: "unavailable" });
    await send({ kind: "cleared" });
    const all = await retained("#", 2);
    expect(all.get(topic)).toMatchObject({ state: "OFF" });
    const config = all.get("homeassistant/binary_sensor/iot_lstm_predictor_a_2F1_r1/config");
    expect(config).toMatchObject({ state_topic: topic, device_class: "problem" });
  });

  it("tells Home Assistant by its templates: the median, on, off, and neither while it is blind", async () => {
    type Config = Record<"state_topic" | "value_template" | "availability_topic" | "availability_template", string>;
    const forecast = forecastOf({ sensorId: "a/1" });
    await broker.publish([forecast], new Map());
    const states: unknown[] = [];
    for (const kind of ["fired", "blinded", "cleared"] as const) {
      await broker.send(channelOf({ kind: "mqtt" }), batchOf([noticeOf({ kind, idempotencyKey: kind })]));
      const topics = await retained("#", 4);
      const configs = [...topics].filter(([topic]) => topic.endsWith("/config")).map(([, config]) => config as Config);
      for (const config of configs) {
        const read = (topic: string, template: string) =>
          nunjucks.renderString(template, { value_json: topics.get(topic) });
        const value = read(config.state_topic, config.value_template);
        const isRule = config.availability_topic !== undefined;
        if (!isRule) expect(Number(value)).toBe(forecast.q50[5]);
        else states.push([read(config.availability_topic, config.availability_template), value]);
      }
    }
    expect(states).toEqual([
      ["online", "ON"],
      ["offline", "None"],
      ["online", "OFF"],
    ]);
  });
});
