import { type Annotation, disturbs } from "../../core/annotation/annotation.ts";
import { lastPointOf } from "../../core/annotation/left-out.ts";
import type { AnnotationChange, Annotations, ChangedSensor } from "../../core/annotation/ports.ts";

const saidOf = ({ sensorId, target, kind, from, to, text }: Annotation) =>
  JSON.stringify([sensorId, target, kind, from, to, text]);

/** Annotations over a map. */
export function memoryAnnotations(stepSeconds = 600): Annotations {
  const known = new Map<string, Annotation>();
  let changes: ChangedSensor[] = [];
  let next = 1;
  const all = () => [...known.values()];
  const sameAs = (one: Annotation) =>
    all().find((other) => other.annotationId !== one.annotationId && !other.removedAt && saidOf(other) === saidOf(one));
  const note = (states: Annotation[]) => {
    for (const { sensorId, from, to } of states.filter(disturbs)) {
      changes.push({ changeId: String(next++), sensorId, from, to });
    }
  };
  async function change(id: string, changed: (before: Annotation) => Annotation | null): Promise<AnnotationChange> {
    const before = known.get(id);
    if (before === undefined) return { ok: false, reason: "unknown" };
    const annotation = changed(before);
    if (annotation === null) return { ok: false, reason: "removed" };
    if (annotation === before) return { ok: true, annotation };
    if (annotation.removedAt === null && sameAs(annotation)) return { ok: false, reason: "doubled" };
    known.set(id, annotation);
    note([before, annotation]);
    return { ok: true, annotation };
  }
  return {
    async list({ sensorId, kind, from, to, withRemoved, limit, after }) {
      const isWanted = (one: Annotation) =>
        (sensorId === null || one.sensorId === sensorId) &&
        (kind === null || one.kind === kind) &&
        (from === null || one.to === null || one.to > from) &&
        (to === null || one.from < to) &&
        (withRemoved || one.removedAt === null) &&
        (after === null ||
          one.from < after.from ||
          (one.from.getTime() === after.from.getTime() && one.annotationId > after.annotationId));
      const order = (a: Annotation, b: Annotation) =>
        b.from.getTime() - a.from.getTime() || (a.annotationId < b.annotationId ? -1 : 1);
      return all().filter(isWanted).sort(order).slice(0, limit);
    },
    get: async (id) => known.get(id) ?? null,
    count: async (sensorId) => all().filter((one) => one.sensorId === sensorId && one.removedAt === null).length,
    async add(annotation) {
      const same = sameAs(annotation);
      if (same) return { annotation: same, isNew: false };
      known.set(annotation.annotationId, annotation);
      note([annotation]);
      return { annotation, isNew: true };
    },
    change: (id, body, { by, now }) =>
      change(id, (before) => {
        const after = { ...before, ...body };
        if (before.removedAt !== null) return null;
        return saidOf(before) === saidOf(after) ? before : { ...after, changedAt: now, changedBy: by };
      }),
    remove: (id, { by, now }) =>
      change(id, (before) =>
        before.removedAt === null ? { ...before, removedAt: now, changedAt: now, changedBy: by } : before,
      ),
    restore: (id, { by, now }) =>
      change(id, (before) =>
        before.removedAt === null ? before : { ...before, removedAt: null, changedAt: now, changedBy: by },
      ),
    async disturbing(sensorIds, after, upTo) {
      const found = all()
        .filter((one) => disturbs(one) && sensorIds.includes(one.sensorId) && one.from <= upTo)
        .filter(({ to }) => to === null || lastPointOf(to, stepSeconds) > after)
        .sort((a, b) => a.from.getTime() - b.from.getTime() || (a.annotationId < b.annotationId ? -1 : 1));
      return new Map(
        [...Map.groupBy(found, (one) => one.sensorId)].map(([sensorId, some]) => [
          sensorId,
          some.map(({ annotationId, target, kind, from, to }) => ({ annotationId, target, kind, from, to })),
        ]),
      );
    },
    unlearnt: async (sensorIds) => changes.filter(({ sensorId }) => sensorIds.includes(sensorId)),
    async learnt(changeIds) {
      changes = changes.filter(({ changeId }) => !changeIds.includes(changeId));
    },
  };
}
