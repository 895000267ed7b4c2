import { describe } from "vitest";
import { memoryAdaptations } from "../fakes/adaptations.ts";
import { memoryAnnotations } from "../fakes/annotations.ts";
import { memoryLeases } from "../fakes/leases.ts";
import { memoryLedger } from "../fakes/ledger.ts";
import { memoryPartSums } from "../fakes/part-sums.ts";
import { memoryRegistry } from "../fakes/registry.ts";
import { annotationsContract } from "./annotations.ts";
import { ledgerContract } from "./ledger.ts";
import {
  adaptationsContract,
  fleetRegistryContract,
  leasesContract,
  partSumsContract,
  registryContract,
} from "./registry.ts";

describe("in memory", () => {
  ledgerContract(async () => {
    const ledger = memoryLedger();
    return { ledger, scores: ledger };
  });
  registryContract(async () => memoryRegistry());
  partSumsContract(async () => memoryPartSums());
  fleetRegistryContract(async () => memoryRegistry());
  adaptationsContract(async () => memoryAdaptations());
  leasesContract(async () => memoryLeases());
  annotationsContract(async () => memoryAnnotations());
});
