import type { Adaptation } from "../../core/mix/adaptation.ts";
import type { Adaptations } from "../../core/ports.ts";

/** What was learnt, over a map; the newest stays. */
export function memoryAdaptations(): Adaptations & { states: Map<string, Map<string, Adaptation>> } {
  const states = new Map<string, Map<string, Adaptation>>();
  return {
    states,
    async load(sensorIds) {
      return new Map([...states].filter(([id]) => sensorIds.includes(id)).map(([id, one]) => [id, new Map(one)]));
    },
    async save(adapted) {
      for (const { sensorId, target, state } of adapted) {
        if (state.through === null) continue;
        const ofSensor = states.get(sensorId) ?? new Map<string, Adaptation>();
        states.set(sensorId, ofSensor);
        const known = ofSensor.get(target)?.through;
        if (!known || known < state.through) ofSensor.set(target, state);
      }
    },
    async replace(sensorIds, adapted) {
      for (const sensorId of sensorIds) states.delete(sensorId);
      await this.save(adapted);
    },
  };
}
