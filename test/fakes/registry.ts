import { AppError } from "../../core/errors.ts";
import type { Registry } from "../../core/model/ports.ts";
import type { RegisteredFleet, RegisteredModel } from "../../core/model/registered.ts";
import { servingOf } from "../../core/operations/fleet-groups.ts";

/** The registry over a map, with the rules of the database. */
export function memoryRegistry(models: RegisteredModel[] = []): Registry & { models: Map<string, RegisteredModel> } {
  const byId = new Map(models.map((model) => [model.modelId, model]));
  const ofSensor = (sensorId: string) => [...byId.values()].filter((model) => model.sensorId === sensorId);
  const championOf = (sensorId: string) => ofSensor(sensorId).find(({ status }) => status === "champion");
  const newestFirst = () =>
    [...byId.values()].sort(
      (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.modelId < b.modelId ? 1 : -1),
    );
  const must = (modelId: string) => {
    const model = byId.get(modelId);
    if (!model) throw new AppError("notFound", `there is no model ${modelId}`);
    return model;
  };
  const change = (model: RegisteredModel, changes: Partial<RegisteredModel>) =>
    byId.set(model.modelId, { ...model, ...changes });
  const fleets = new Map<string, Omit<RegisteredFleet, "champions" | "challengers">>();
  const fleetOf = ({ manifest }: RegisteredModel) => manifest.fleet?.fleetId;
  const mustFleet = (fleetId: string) => {
    const fleet = fleets.get(fleetId);
    if (!fleet) throw new AppError("notFound", `there is no fleet ${fleetId}`);
    return fleet;
  };
  const changeFleet = (fleetId: string, changes: Partial<RegisteredFleet>) =>
    fleets.set(fleetId, { ...mustFleet(fleetId), ...changes });
  const ofFleet = (fleetId: string, status: RegisteredModel["status"]) =>
    newestFirst().filter((one) => fleetOf(one) === fleetId && one.status === status);
  const allFleets = (): RegisteredFleet[] =>
    [...fleets.values()]
      .map((one) => ({
        ...one,
        champions: ofFleet(one.fleetId, "champion").length,
        challengers: ofFleet(one.fleetId, "challenger").length,
      }))
      .sort((a, b) => Number(b.createdAt) - Number(a.createdAt) || (a.fleetId < b.fleetId ? 1 : -1));
  return {
    models: byId,
    async fleets(limit) {
      return allFleets().slice(0, limit);
    },
    async currentFleets() {
      const known = allFleets();
      const isNewest = ({ fleetId, group }: RegisteredFleet) =>
        known.find((one) => one.group === group)?.fleetId === fleetId;
      return known.filter((one) => one.status !== "retired" || isNewest(one));
    },
    async fleet(fleetId) {
      return allFleets().find((one) => one.fleetId === fleetId) ?? null;
    },
    async registerFleet({ fleetId, digest, group, statusReason, now }) {
      const known = fleets.get(fleetId);
      if (known && known.digest !== digest) throw new AppError("conflict", `fleet ${fleetId} has another digest`);
      if (known) return;
      const dates = { createdAt: now, promotedAt: null, retiredAt: null };
      fleets.set(fleetId, { fleetId, digest, group, statusReason, status: "challenger", ...dates });
    },
    async promoteFleet(fleetId, { kept, reason, now }) {
      const { status, group } = mustFleet(fleetId);
      if (status === "champion") return 0;
      for (const one of fleets.values()) {
        if (one.group !== group || one.status !== "champion") continue;
        changeFleet(one.fleetId, { status: "retired", statusReason: `followed by ${fleetId}`, retiredAt: now });
      }
      changeFleet(fleetId, { status: "champion", statusReason: reason, promotedAt: now, retiredAt: null });
      const reasons = new Map(kept.map((one) => [one.sensorId, one.reason]));
      let count = 0;
      for (const model of ofFleet(fleetId, "challenger")) {
        const keptWhy = reasons.get(model.sensorId);
        const champion = championOf(model.sensorId);
        if (keptWhy) change(model, { status: "retired", statusReason: keptWhy, retiredAt: now });
        else if (champion && fleetOf(champion) && fleetOf(champion) !== fleetId) {
          const statusReason = `followed by ${model.modelId}`;
          change(champion, { status: "retired", statusReason, retiredAt: now });
          change(model, { status: "champion", statusReason: reason, promotedAt: now, retiredAt: null });
          count++;
        }
      }
      return count;
    },
    async rollbackFleet(group, statusReason, now) {
      const champion = [...fleets.values()].find((one) => one.group === group && one.status === "champion");
      const before = [...fleets.values()]
        .filter((one) => one.group === group && one.status === "retired" && one.promotedAt && one.retiredAt)
        .filter(({ retiredAt }) => Number(retiredAt) <= Number(champion?.promotedAt))
        .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
      const common = group === "" ? undefined : servingOf(allFleets()).get("");
      const back = before ?? common;
      if (!champion || !back) return null;
      changeFleet(champion.fleetId, { status: "retired", statusReason, retiredAt: now });
      if (back !== common) changeFleet(back.fleetId, { status: "champion", statusReason, retiredAt: null });
      let sensors = 0;
      for (const model of ofFleet(champion.fleetId, "champion")) {
        const earlier = ofSensor(model.sensorId)
          .filter((one) => one.status === "retired" && one.promotedAt && fleetOf(one) !== champion.fleetId)
          .filter(({ retiredAt }) => Number(retiredAt) <= Number(model.promotedAt))
          .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
        if (!earlier) continue;
        change(model, { status: "retired", statusReason, retiredAt: now });
        change(earlier, { status: "champion", statusReason, retiredAt: null });
        sensors++;
      }
      return { fleetId: back.fleetId, sensors };
    },
    async retireFleet(fleetId, statusReason, now) {
      const { status } = mustFleet(fleetId);
      if (status === "champion") throw new AppError("conflict", `fleet ${fleetId} is champion`);
      if (status === "challenger") changeFleet(fleetId, { status: "retired", statusReason, retiredAt: now });
      for (const model of ofFleet(fleetId, "challenger"))
        change(model, { status: "retired", statusReason, retiredAt: now });
    },
    async register({ manifest, digest, statusReason, now }) {
      const { modelId, sensorId, modelSha256 } = manifest;
      const known = byId.get(modelId);
      const isOther = known?.digest && digest && known.digest !== digest;
      if (known && (known.modelSha256 !== modelSha256 || isOther))
        throw new AppError("conflict", `model ${modelId} has other bytes`);
      if (known) {
        if (digest) byId.set(modelId, { ...known, digest });
        return;
      }
      const dates = { createdAt: now, promotedAt: null, retiredAt: null };
      byId.set(modelId, {
        modelId,
        sensorId,
        status: "challenger",
        manifest,
        modelSha256,
        digest: digest ?? null,
        statusReason,
        ...dates,
      });
    },
    async champions(sensorIds) {
      const champions = sensorIds.flatMap((sensorId) => championOf(sensorId) ?? []);
      return new Map(champions.map((one) => [one.sensorId, one]));
    },
    async challengers(sensorIds) {
      const wanted = new Set(sensorIds);
      return newestFirst()
        .filter(({ status, sensorId }) => status === "challenger" && wanted.has(sensorId))
        .reverse();
    },
    async newest(sensorIds) {
      const wanted = newestFirst().filter(({ sensorId }) => sensorIds.includes(sensorId));
      return new Map(wanted.reverse().map((model) => [model.sensorId, model]));
    },
    async get(modelId) {
      return byId.get(modelId) ?? null;
    },
    async list({ sensorId, search = "", status, fleetId, limit, after }) {
      const all = newestFirst();
      const words = search.toLowerCase().split(/\s+/);
      const textOf = (one: RegisteredModel) => `${one.modelId} ${one.sensorId} ${one.statusReason}`.toLowerCase();
      const from = after === undefined ? 0 : all.findIndex(({ modelId }) => modelId === after) + 1;
      const isWanted = (one: RegisteredModel) =>
        (!sensorId || one.sensorId === sensorId) &&
        words.every((word) => textOf(one).includes(word)) &&
        (!status || one.status === status) &&
        (!fleetId || fleetOf(one) === fleetId);
      return all.slice(from).filter(isWanted).slice(0, limit);
    },
    async promote(modelId, statusReason, now) {
      const model = must(modelId);
      const champion = championOf(model.sensorId);
      if (champion?.modelId === modelId) return;
      if (champion) change(champion, { status: "retired", statusReason: `followed by ${modelId}`, retiredAt: now });
      change(model, { status: "champion", statusReason, promotedAt: now, retiredAt: null });
    },
    async rollback(sensorId, statusReason, now) {
      const champion = championOf(sensorId);
      const before = ofSensor(sensorId)
        .filter(
          ({ status, promotedAt, retiredAt }) => status === "retired" && promotedAt !== null && retiredAt !== null,
        )
        .filter(({ retiredAt }) => Number(retiredAt) <= Number(champion?.promotedAt))
        .sort((a, b) => Number(b.retiredAt) - Number(a.retiredAt))[0];
      if (!champion || !before) return null;
      change(champion, { status: "retired", statusReason, retiredAt: now });
      change(before, { status: "champion", statusReason, retiredAt: null });
      return before.modelId;
    },
    async retire(modelId, statusReason, now) {
      const model = must(modelId);
      if (model.status === "champion") throw new AppError("conflict", `model ${modelId} is champion`);
      if (model.status === "challenger") change(model, { status: "retired", statusReason, retiredAt: now });
    },
  };
}
