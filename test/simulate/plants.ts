import type { Forecast, Outcome } from "../../core/forecast/forecast.ts";
import { maturedLeads } from "../../core/forecast/matured.ts";
import { addSeconds } from "../../core/time.ts";
import type { memoryLedger } from "../fakes/ledger.ts";
import type { memoryRegistry } from "../fakes/registry.ts";

type Parts = {
  ledger: ReturnType<typeof memoryLedger>;
  registry: ReturnType<typeof memoryRegistry>;
  random: () => number;
};

/** Bugs that the invariants have to find, each planted into the ports of a world. */
export const plants: Record<string, (parts: Parts) => void> = {
  "holes are not looked for": ({ ledger }) => {
    ledger.gaps = async () => [];
  },
  "unfinished cycles pass for finished": ({ ledger }) => {
    ledger.finishCycles = async () => [];
  },
  "a score row is never completed": ({ ledger }) => {
    const { record } = ledger;
    ledger.record = async (first: never[], rows?: Forecast[]) => {
      if (rows !== undefined) return record(first, rows);
      const known = new Set(ledger.scores.keys());
      const before = new Map(ledger.scores);
      await record(first as never);
      for (const key of known) ledger.scores.set(key, before.get(key)!);
    };
  },
  "leads count whose moment had passed": ({ ledger }) => {
    ledger.matured = async (wanted, upTo) => {
      const from = new Map(wanted.map((one) => [one.sensorId, one.from]));
      const rows = [...ledger.forecasts.values()].filter(({ sensorId }) => from.has(sensorId));
      const early = rows.map((row) => ({ ...row, issuedAt: row.origin }));
      return [...Map.groupBy(early, ({ sensorId }) => sensorId)].map(([sensorId, own]) =>
        maturedLeads(own, (at) => at >= from.get(sensorId)!.getTime() && at <= upTo.getTime()),
      );
    };
  },
  "a stored forecast is overwritten": (parts) =>
    recorded(parts, (outcomes, rows) => {
      for (const key of parts.ledger.forecasts.keys()) {
        const stored = parts.ledger.forecasts.get(key)!;
        if (rows.some((row) => row.sensorId === stored.sensorId))
          parts.ledger.forecasts.set(key, { ...stored, lastValue: 0 });
      }
      return { outcomes, rows };
    }),
  "an outcome is stored without its forecasts": (parts) =>
    recorded(parts, (outcomes, rows) => ({ outcomes, rows: parts.random() < 0.2 ? [] : rows })),
  "the champion before stays champion": ({ registry }) => {
    registry.promote = async (modelId, statusReason, now) => {
      registry.models.set(modelId, {
        ...registry.models.get(modelId)!,
        status: "champion",
        statusReason,
        promotedAt: now,
      });
    };
  },
  "the last sensor is forgotten when a slot expires": (parts) =>
    recorded(parts, (outcomes, rows) => ({
      outcomes: outcomes[0]?.status === "expired" ? outcomes.slice(0, -1) : outcomes,
      rows,
    })),
  "a model may know what came after the origin": ({ registry }) => {
    const { champions } = registry;
    registry.champions = async (ids) => {
      const past = (await champions(ids)).entries();
      return new Map([...past].map(([id, model]) => [id, withTraining(model)]));
    };
  },
  "a moment counts as many when a challenger is judged": ({ ledger }) => {
    const { paired } = ledger;
    ledger.paired = async (...asked) => {
      const pairs = await paired(...asked);
      return [0, 1, 2, 3, 4, 5].flatMap((i) => pairs.map((one) => ({ ...one, targetAt: addSeconds(one.targetAt, i) })));
    };
  },
  "quantiles cross": (parts) =>
    recorded(parts, (outcomes, rows) => ({
      outcomes,
      rows: rows.map((row) => ({ ...row, q10: row.q90, q90: row.q10 })),
    })),
  "a forecast is issued before its origin's time": (parts) =>
    recorded(parts, (outcomes, rows) => ({
      outcomes,
      rows: rows.map((row) => ({ ...row, slot: addSeconds(row.origin, -600) })),
    })),
};

function recorded(
  { ledger }: Parts,
  change: (outcomes: Outcome[], rows: Forecast[]) => { outcomes: Outcome[]; rows: Forecast[] },
) {
  const { record } = ledger;
  ledger.record = async (first: never[], rows?: Forecast[]) => {
    if (rows === undefined) return record(first as never);
    const changed = change(first, rows);
    await record(changed.outcomes, changed.rows);
  };
}

function withTraining<Model extends { manifest: { training: { to: string } } }>(model: Model): Model {
  const training = { ...model.manifest.training, to: "2026-01-01T00:00:00.000Z" };
  return { ...model, manifest: { ...model.manifest, training } };
}
