import { describe } from "vitest";
import { memoryAnnotations } from "../fakes/annotations.ts";
import { memoryAdaptations, memoryLeases, memoryLedger, memoryPartSums, memoryRegistry } from "../fakes/ports.ts";
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
