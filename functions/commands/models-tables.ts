import Table from "cli-table3";
import type { LeftOut } from "../../core/annotation/annotation.ts";
import { leadsOf, leadsText } from "../../core/model/leads.ts";
import type { RegisteredFleet, RegisteredModel } from "../../core/model/registered.ts";
import type { ReceiptLine } from "./models-receipt.ts";

const plain = { style: { head: [], border: [] } };

/** The registry, a line a model, newest first. */
export function tableOfModels(models: RegisteredModel[]): string {
  if (models.length === 0) return "No models yet: npm run train makes them.";
  const table = new Table({ head: ["model", "sensor", "status", "made", "MAE / ridge", "coverage", "why"], ...plain });
  for (const { modelId, sensorId, status, createdAt, manifest, statusReason } of models) {
    const metrics = Object.values(manifest.metrics);
    const ratios = metrics.map(({ mae, ridgeMae }) => (mae === undefined ? "-" : (mae / ridgeMae).toFixed(3)));
    const coverages = metrics.map(({ coverage }) => coverage?.toFixed(2) ?? "-");
    const made = createdAt.toISOString().slice(0, 16);
    table.push([modelId, sensorId, status, made, ratios.join(", "), coverages.join(", "), shorten(statusReason)]);
  }
  return table.toString();
}

/** Versions of fleets' networks, a line each, newest first. */
export function tableOfFleets(fleets: RegisteredFleet[]): string {
  if (fleets.length === 0) return "No network of a fleet yet: npm run train makes one.";
  const head = ["fleet", "group", "status", "made", "sensors", "on trial at", "why"];
  const table = new Table({ head, ...plain });
  for (const { fleetId, group, status, createdAt, champions, challengers, statusReason } of fleets) {
    const made = createdAt.toISOString().slice(0, 16);
    table.push([fleetId, group || "-", status, made, champions, challengers, shorten(statusReason)]);
  }
  return table.toString();
}

/** "outage, 2026-05-01T10:00:00.000Z to 2026-05-01T12:00:00.000Z, temperature (note-4fQz)" */
function describeLeftOut({ annotationId, target, kind, from, to }: LeftOut): string {
  return `${kind}, ${from} to ${to ?? "its end"}, ${target ?? "all targets"} (${annotationId})`;
}

/** All that is known of one model. */
export function tableOfModel(model: RegisteredModel): string {
  const { manifest } = model;
  const { training } = manifest;
  const facts = new Table(plain);
  const time = (at: Date | null) => at?.toISOString() ?? "-";
  facts.push(
    ["model", model.modelId],
    ["sensor", model.sensorId],
    ["status", `${model.status}: ${model.statusReason}`],
    ["made, promoted, retired", [model.createdAt, model.promotedAt, model.retiredAt].map(time).join(", ")],
    [manifest.fleet ? "sha256 of its part" : "sha256", model.modelSha256],
    ...(manifest.fleet ? [["fleet, digest", `${manifest.fleet.fleetId}, ${manifest.fleet.digest}`]] : []),
    ...(manifest.fleet?.group ? [["group", manifest.fleet.group]] : []),
    ["step, context, leads", `${manifest.stepSeconds} s, ${manifest.contextLength}, ${leadsText(leadsOf(manifest))}`],
    ["history it looks back on", `${manifest.historyLength} steps`],
    ["trained on", `${training.from} to ${training.to}, ${training.windows} windows`],
    ["data sha256", training.dataSha256],
    ...(training.leftOut ?? []).map((one) => ["left out", describeLeftOut(one)]),
    ["engine, seed", `${training.engine}, ${training.seed}`],
    ...(training.shortHistory ? [["short history", training.shortHistory.reason]] : []),
    ["cost", `${training.cpuSeconds.toFixed(1)} s CPU`],
    ["code", manifest.codeVersion],
  );
  const metrics = new Table({
    head: ["target", "MAE", "ridge", "persistence", "pinball", "ridge", "coverage"],
    ...plain,
  });
  for (const { name, unit } of manifest.targets) {
    const one = manifest.metrics[name];
    if (!one) continue;
    const numbers = [one.mae, one.ridgeMae, one.persistenceMae, one.pinball, one.ridgePinball, one.coverage];
    metrics.push([`${name} ${unit}`, ...numbers.map((value) => value?.toPrecision(3) ?? "-")]);
  }
  return `${facts}\nOn validation:\n${metrics}`;
}

/** The receipt's checks. */
export function tableOfReceipt(lines: ReceiptLine[]): string {
  const table = new Table({ head: ["check", "", "detail"], ...plain });
  for (const { check, isOk, detail } of lines)
    table.push([check, isOk === null ? "-" : isOk ? "ok" : "FAILED", detail]);
  return table.toString();
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
