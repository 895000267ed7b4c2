import { workerData } from "node:worker_threads";
import { openDatabase } from "../../../functions/adapters/postgres/connection/pool.ts";
import type { PredictorSchema } from "../../../functions/adapters/postgres/schema.ts";
import { predictorPorts } from "../../../functions/runtime/predictor.ts";
import { shardStore } from "./fleet.ts";

// A thread that stores shard after shard until it is ended.
type Given = { url: string; slot: Date; sensors: number };
const { url, slot, sensors } = workerData as Given;
const { ledger } = predictorPorts(openDatabase<PredictorSchema>({ url, side: "predictor", max: 2 }));
const storeShard = shardStore(ledger, { slot, sensors });
for (;;) await storeShard();
