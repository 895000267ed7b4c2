import { describe } from "vitest";
import { memoryAdaptations, memoryLeases, memoryLedger, memoryRegistry } from "../fakes/ports.ts";
import { ledgerContract } from "./ledger.ts";
import { adaptationsContract, fleetRegistryContract, leasesContract, registryContract } from "./registry.ts";

describe("in memory", () => {
  ledgerContract(async () => {
    const ledger = memoryLedger();
    return { ledger, scores: ledger };
  });
  registryContract(async () => memoryRegistry());
  fleetRegistryContract(async () => memoryRegistry());
  adaptationsContract(async () => memoryAdaptations());
  leasesContract(async () => memoryLeases());
});
