import { LRUCache } from "lru-cache";
import type { OrderQuery, SensorOrder } from "../../core/forecast/sensor.ts";
import type { Views } from "../../core/views.ts";
import type { Moment } from "./revision.ts";

/** An order that was made under `revision`. */
export type KnownOrder = SensorOrder & { revision: string };
type Wanted = Omit<OrderQuery, "staleBefore">;

/** Ids in all orders that are kept together: some 100 MB. */
const mostIds = 1_000_000;
/**
 * An order that took long to make is kept longer, so that making orders takes a part of the time at most; not beyond
 * a change of ours, which whoever made it is to see.
 */
const restFactor = 10;

/**
 * Orders of the fleet by what was asked, kept until the revision moves: the pages of one list cost one sort. A page
 * after the first is cut from the order that the first was, while that is still here.
 */
export function keptOrders(views: Pick<Views, "sensorOrder">) {
  const orders = new LRUCache<string, KnownOrder>({ maxSize: mostIds, sizeCalculation: sizeOf });
  const newest = new LRUCache<string, Moment & { order: Promise<KnownOrder>; untilMs: number }>({ max: 500 });
  const nameOf = (wanted: Wanted) => JSON.stringify(wanted);

  return {
    async now(wanted: Wanted, moment: Moment, staleBefore: Date): Promise<KnownOrder> {
      const { revision, ownChanges } = moment;
      const name = nameOf(wanted);
      const known = newest.get(name);
      const isResting = known?.ownChanges === ownChanges && performance.now() < known.untilMs;
      if (known && (known.revision === revision || isResting)) return known.order;
      const startedMs = performance.now();
      const order = views.sensorOrder({ ...wanted, staleBefore }).then((made) => ({ ...made, revision }));
      const entry = { ...moment, order, untilMs: startedMs };
      newest.set(name, entry);
      try {
        const made = await order;
        entry.untilMs = performance.now() + restFactor * (performance.now() - startedMs);
        orders.set(`${revision} ${name}`, made);
        return made;
      } catch (error) {
        newest.delete(name);
        throw error;
      }
    },

    /** The order as it was under an earlier revision; undefined where it is gone. */
    before: (wanted: Wanted, revision: string) => orders.get(`${revision} ${nameOf(wanted)}`),
  };
}

function sizeOf({ sensorIds }: SensorOrder): number {
  return sensorIds.length + 1;
}
