import { Model, type ModelPage, Trial } from "../../../functions/api/contract/models.ts";
import { modelsOf, trialOf } from "./model-data.ts";
import { type Answer, type MockState, notFound } from "./state.ts";

/** As the API filters and pages. */
export function modelPageOf(state: MockState, query: URLSearchParams): ModelPage {
  const { q = "", status, cursor = 0, limit = 50, sensorId = null } = Object.fromEntries(query);
  const fitting = modelsOf(state.now, sensorId, state.models).filter(
    (model) =>
      (status === undefined || model.status === status) &&
      q.split(/\s+/).every((word) => `${model.modelId} ${model.sensorId} ${model.statusReason}`.includes(word)),
  );
  const end = Number(cursor) + Number(limit);
  return {
    items: fitting.slice(Number(cursor), end),
    nextCursor: end < fitting.length ? String(end) : null,
  };
}

/** One model, its trial, or what became of it. */
export function modelAnswer(state: MockState, modelId: string, part: string): Answer {
  const found = modelsOf(state.now, null, state.models).find((model) => model.modelId === modelId);
  if (found === undefined) return notFound(`There is no model "${modelId}".`);
  const model =
    state.promotedId === modelId ? { ...found, status: "champion" as const, statusReason: "by hand" } : found;
  if (part === "/trial") return { status: 200, body: Trial.parse(trialOf(model)) };
  if (part === ":promote") state.promotedId = modelId;
  return { status: 200, body: Model.parse(part === ":promote" ? { ...model, status: "champion" } : model) };
}
