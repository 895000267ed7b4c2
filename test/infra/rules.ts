import { pageHeaders } from "../../functions/machine/page-headers.ts";
import type { StageSettings } from "../../sst.settings.ts";
import { buildViolations, functionViolations, queueViolations, scheduleViolations } from "./compute.ts";
import type { Evaluation, Resource } from "./evaluate.ts";
import { policyViolations } from "./policies.ts";
import { alarmViolations, logViolations } from "./watching.ts";
import { read } from "./world.ts";

/** What a deployment must keep to and does not, one sentence each; empty when all is well. */
export function violations(evaluation: Evaluation, settings: StageSettings, secrets: Record<string, string>): string[] {
  const world = read(evaluation.resources);
  return [
    ...functionViolations(world, settings),
    ...buildViolations(evaluation),
    ...queueViolations(world, settings),
    ...scheduleViolations(world, settings),
    ...policyViolations(evaluation.resources),
    ...secretViolations(evaluation.resources, secrets),
    ...logViolations(world, settings),
    ...alarmViolations(world, evaluation.resources),
    ...storeViolations(evaluation, settings),
    ...webViolations(evaluation),
    ...edgeViolations(evaluation, settings),
  ];
}

/** SST keeps secrets in its encrypted state (Secret, LinkRef); nothing that AWS is given may show one. */
function secretViolations(resources: Resource[], secrets: Record<string, string>): string[] {
  const given = resources.filter(({ type }) => !type.startsWith("sst:"));
  return Object.entries(secrets).flatMap(([secret, value]) =>
    given
      .filter(({ inputs }) => JSON.stringify(inputs).includes(JSON.stringify(value).slice(1, -1)))
      .map(({ name }) => `${name} shows ${secret}`),
  );
}

function storeViolations({ app, resources }: Evaluation, settings: StageSettings): string[] {
  const named = (name: string) => resources.find((resource) => resource.name === name);
  const bucket = named("StoreBucket");
  const block = named("StorePublicAccessBlock")?.inputs ?? {};
  const isKept = bucket?.isProtected && bucket.isRetained && bucket.inputs.forceDestroy === false;
  const open = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"].filter(
    (key) => block[key] !== true,
  );
  return [
    !bucket && "no store",
    open.length > 0 && `the store is open: ${open.join()}`,
    !JSON.stringify(named("StoreVersioning")?.inputs ?? "").includes("Enabled") && "the store has no versions",
    !named("StoreLifecycle") && "the store grows for ever",
    !JSON.stringify(named("StoreLifecycle")?.inputs ?? "").includes("GLACIER_IR") &&
      "old days cost as much as new ones",
    settings.isProtected && !isKept && "the store can be lost with the stage",
    settings.isProtected && !(app.protect && app.removal === "retain") && "the stage can be removed",
    !/^\d+\.\d+\.\d+$/.test(app.providers.aws.version) && "the aws provider's version is not pinned",
  ].filter((line) => typeof line === "string");
}

function webViolations({ resources, outputs }: Evaluation): string[] {
  const urls = resources.filter(({ type }) => type === "aws:lambda/functionUrl:FunctionUrl").map(({ name }) => name);
  const routed = resources
    .filter(({ type }) => type === "sst:aws:RouterUrlRoute" || type === "pulumi-nodejs:dynamic:Resource")
    .map(({ inputs }) => JSON.stringify(inputs))
    .join();
  const unrouted = ["/v1", "/healthz", "/readyz", "/openapi.json", "/reference"].filter(
    (path) => !routed.includes(`,${path}`),
  );
  return [
    urls.join() !== "ApiUrl" && `function URLs: ${urls.join() || "none"}`,
    !resources.some(({ type }) => type === "sst:aws:StaticSite") && "no dashboard",
    unrouted.length > 0 && `not routed to the API: ${unrouted.join()}`,
    !String(outputs.dashboard).startsWith("https://") && "the dashboard's address is not an output",
  ].filter((line) => typeof line === "string");
}

function edgeViolations({ resources }: Evaluation, settings: StageSettings): string[] {
  const code = resources
    .filter(({ type }) => type === "aws:cloudfront/function:Function")
    .map(({ inputs }) => String(inputs.code))
    .join();
  const inputsOf = (name: string) => resources.find((resource) => resource.name === name)?.inputs ?? {};
  const fields = [inputsOf("EdgeLogsDelivery").recordFields].flat().map(String);
  const isLogged =
    String(inputsOf("EdgeLogsSource").resourceArn).includes(":distribution/") &&
    ["c-ip", "cs-uri-stem", "sc-status"].every((field) => fields.includes(field));
  const isFirewalled = resources.some(({ type }) => type === "aws:wafv2/webAcl:WebAcl");
  return [
    !code.includes(`"x-edge-secret"] = { value: "`) && "the function's own URL answers anybody",
    !code.includes(`"x-viewer-address"] = { value: event.viewer.ip }`) && "whoever asks may say from where",
    !code.includes(pageHeaders["content-security-policy"] ?? "?") && "the dashboard has no policy",
    !isLogged && "the edge has no access log",
    fields.some((field) => /query|cookie/i.test(field)) && "the access log holds what signs people in",
    inputsOf("EdgeLogs").retentionInDays !== settings.logRetentionDays &&
      "the access log is not kept as the settings say",
    (settings.requestsPerFiveMinutes !== null) !== isFirewalled && "the WAF is not as the settings say",
  ].filter((line) => typeof line === "string");
}
