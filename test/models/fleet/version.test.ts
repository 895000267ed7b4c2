import { beforeAll, expect, test } from "vitest";
import { decodeGolden } from "../../../core/model/fleet/golden.ts";
import type { BuiltFleet, FleetRequest } from "../../../core/model/fleet/training.ts";
import type { TrainProgress } from "../../../core/model/training.ts";
import { workerFleetTrainer } from "../../../functions/adapters/fleet.ts";
import { fleetOf, readingsOf, someSlot, wave } from "../../builders.ts";

const stepSeconds = 3600;
const { targets, leads } = fleetOf({ stepSeconds });
const length = 24 * 45;
const request: FleetRequest & { codeVersion: string } = {
  ...{ targets, stepSeconds, leads, seed: 7, now: someSlot, codeVersion: "test" },
  sensors: ["attic", "cellar"].map((sensorId, i) => {
    const options = { stepsPerDay: 24, seed: i + 1 };
    const columns = { temperature: wave(length, options), humidity: wave(length, { ...options, mean: 45 }) };
    return { sensorId, readings: readingsOf(columns, { stepSeconds }) };
  }),
};

async function build(workers: number): Promise<{ fleet: BuiltFleet; told: TrainProgress[] }> {
  const told: TrainProgress[] = [];
  const trainer = workerFleetTrainer({ workers, build: "simd128" });
  const { fleet } = await trainer.trainVersion(request, (progress) => told.push(progress));
  return { fleet: fleet!, told };
}

let inTurn: Awaited<ReturnType<typeof build>>;
beforeAll(async () => {
  inTurn = await build(1);
}, 120_000);

test("two threads make the bytes that one makes, and tell how far both networks are", async () => {
  const { fleet, told } = await build(2);
  expect(fleet.artefact.digest).toBe(inTurn.fleet.artefact.digest);
  const digests = ({ sensors }: BuiltFleet) => sensors.map(({ manifest }) => manifest.modelSha256);
  expect(digests(fleet)).toEqual(digests(inTurn.fleet));
  const last = told.at(-1)!;
  expect([last.done, last.total]).toEqual([inTurn.told.at(-1)!.total, inTurn.told.at(-1)!.total]);
  expect(told.every(({ done }, i) => i === 0 || done >= told[i - 1]!.done)).toBe(true);
}, 120_000);

test("aborting ends all threads of a training", async () => {
  const stop = new AbortController();
  const trainer = workerFleetTrainer({ workers: 2, build: "simd128" });
  const training = trainer.trainVersion(request, () => stop.abort(new Error("enough")), stop.signal);
  await expect(training).rejects.toThrow("enough");
}, 120_000);

test("golden vectors lie as float16 wherever that holds them exactly, and are answered from what is stored", () => {
  const { artefact, sensors } = inTurn.fleet;
  const golden = decodeGolden(artefact.manifest.fleetId, artefact.golden, artefact.manifest.graph);
  expect(golden.rows).toHaveLength(6);
  const row = golden.rows[0]!;
  const halved = [row.sequence, row.features, row.changes, row.part.tensors.skip!];
  for (const values of halved) expect(Float32Array.from(new Float16Array(values))).toEqual(values);
  const numbers = halved.reduce((sum, { length }) => sum + length, 0);
  const rest = golden.quantiles[0]!.length * 4 + 4 * leads.length * targets.length * 6;
  expect(artefact.golden.length).toBeLessThan(6 * (2 * numbers + rest) + 2000);
  expect(sensors).toHaveLength(2);
});
