import { existsSync } from "node:fs";
import { secretPrefix } from "../../core/alert/secret.ts";
import { AppError } from "../../core/errors.ts";
import { defaultLeads, everyLead, leadsText } from "../../core/model/leads.ts";
import packageJson from "../../package.json" with { type: "json" };
import { type CamelCase, camelCase } from "./case.ts";
import { redactConnection } from "./connection.ts";
import { contradictionsOf } from "./contradictions.ts";
import { cronOfStep, cycleSecondsOf } from "./cron.ts";
import { withLinkedSecrets } from "./secrets.ts";
import { Environment } from "./variables.ts";

type Values = {
  [Name in keyof Environment as CamelCase<Name>]-?: undefined extends Environment[Name]
    ? Exclude<Environment[Name], undefined> | null
    : Environment[Name];
};

/** The validated configuration: a field for each variable, null where the system fills in by itself. */
export type Config = Omit<Values, "modelStore" | "backupStore" | "cycleCron" | "codeVersion" | "leads" | "horizon"> & {
  leads: number[];
  modelStore: string;
  backupStore: string;
  cycleCron: string;
  codeVersion: string;
  /** By the variable's name, what channels of alerts may refer to. */
  channelSecrets: Record<string, string>;
};

/**
 * The configuration of this process: its environment, then `.env` here, then the secrets that SST linked. Throws
 * misconfigured.
 */
export async function loadConfig(): Promise<Config> {
  if (existsSync(".env")) process.loadEnvFile(".env");
  return readConfig(await withLinkedSecrets(process.env));
}

/**
 * The configuration in `environment`; an empty string counts as unset. Throws misconfigured naming each bad variable,
 * and those that contradict each other.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = Environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
    throw new AppError("misconfigured", `configuration: ${lines.join("; ")} (see .env.example)`);
  }
  if (parsed.data.LEADS && parsed.data.HORIZON) {
    const instead = `LEADS says which steps a forecast has, HORIZON ${parsed.data.HORIZON} means 1-${parsed.data.HORIZON}`;
    throw new AppError("misconfigured", `configuration: ${instead}: leave one of them out (see .env.example)`);
  }
  const channelSecrets = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (name.startsWith(secretPrefix) ? [[name, value ?? ""]] : [])),
  );
  const config = { ...toConfig(parsed.data), channelSecrets };
  const contradictions = contradictionsOf(config, cycleSecondsOf(config.cycleCron));
  if (config.requireSignature && config.modelPublishers.length === 0)
    contradictions.push(
      "REQUIRE_SIGNATURE is true and MODEL_PUBLISHERS names nobody: no model from elsewhere would serve",
    );
  if (contradictions.length > 0) throw new AppError("misconfigured", `configuration: ${contradictions.join("; ")}`);
  return config;
}

function toConfig(environment: Environment): Omit<Config, "channelSecrets"> {
  const { horizon, leads, ...values } = toValues(environment);
  return {
    ...values,
    leads: leads ?? (horizon === null ? defaultLeads(values.stepSeconds) : everyLead(horizon)),
    modelStore: values.modelStore ?? `${values.dataDir}/models`,
    backupStore: values.backupStore ?? values.dataDir,
    cycleCron: values.cycleCron ?? cronOfStep(values.stepSeconds),
    codeVersion: values.codeVersion ?? packageJson.version,
  };
}

/** Object.fromEntries knows no keys: the two types above say what this does. */
function toValues(environment: Environment): Values {
  const given: Record<string, unknown> = environment;
  const names = Object.keys(Environment.shape);
  return Object.fromEntries(names.map((name) => [camelCase(name), given[name] ?? null])) as Values;
}

/** The configuration for the start log: passwords in URLs, the API key and inline mappings are left out. */
export function describeConfig(config: Config): Record<string, unknown> {
  const hidden = config.sourceConfig?.trim().startsWith("{") ? "(inline)" : config.sourceConfig;
  return {
    ...config,
    leads: leadsText(config.leads),
    followerDatabaseUrl: config.followerDatabaseUrl && redactConnection(config.followerDatabaseUrl),
    apiDatabaseUrl: config.apiDatabaseUrl && redactConnection(config.apiDatabaseUrl),
    predictorDatabaseUrl: config.predictorDatabaseUrl && redactConnection(config.predictorDatabaseUrl),
    sourceConfig: hidden,
    apiKey: config.apiKey && "(set)",
    oidcClientSecret: config.oidcClientSecret && "(set)",
    alertSecretKey: config.alertSecretKey && "(set)",
    channelSecrets: Object.keys(config.channelSecrets),
    shareSecretKey: config.shareSecretKey && "(set)",
    smtpUrl: config.smtpUrl && "(set)",
    mqttUrl: config.mqttUrl && "(set)",
  };
}
