import { z } from "zod";
import type { Resource } from "./evaluate.ts";

const list = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const Document = z.object({
  Statement: z.array(
    z.object({
      Effect: z.string(),
      Action: list,
      Resource: list.optional(),
      Principal: z.unknown().optional(),
    }),
  ),
});
const Text = z.union([z.string().transform((text) => JSON.parse(text)), z.unknown()]).pipe(Document);

export const Role = z.object({
  name: z.string(),
  assumeRolePolicy: Text,
  inlinePolicies: z.array(z.object({ policy: Text })).default([]),
  managedPolicyArns: z.array(z.string()).default([]),
});

/** What a role allows, as (action, resource) pairs. */
export function grants(role: z.infer<typeof Role>): { action: string; resource: string }[] {
  return role.inlinePolicies
    .flatMap(({ policy }) => policy.Statement)
    .filter(({ Effect }) => Effect === "Allow")
    .flatMap(({ Action, Resource = ["*"] }) =>
      Action.flatMap((action) => Resource.map((resource) => ({ action, resource }))),
    );
}

/** Roles that allow or are allowed more than what they name: no `*`, no policy of AWS's, nobody but a service. */
export function policyViolations(resources: Resource[]): string[] {
  return resources
    .filter(({ type }) => type === "aws:iam/role:Role")
    .flatMap(({ name, inputs }) => {
      const role = Role.parse(inputs);
      const wide = grants(role)
        .filter(({ action, resource }) => action.includes("*") || !isNarrow(resource))
        .map(({ action, resource }) => `${name} allows ${action} on ${resource}`);
      const managed = role.managedPolicyArns
        .filter((arn) => !arn.endsWith(":policy/service-role/AWSLambdaVPCAccessExecutionRole"))
        .map((arn) => `${name} has the managed policy ${arn}`);
      const trusted = JSON.stringify(role.assumeRolePolicy.Statement.map(({ Principal }) => Principal));
      const foreign = /arn:aws:iam|"\*"/.test(trusted) ? [`${name} can be assumed by ${trusted}`] : [];
      return [...wide, ...managed, ...foreign];
    });
}

/** An ARN without `*`, but for what lies under one prefix: objects of a bucket, streams of a log group, secrets. */
function isNarrow(resource: string): boolean {
  if (!resource.includes("*")) return resource.startsWith("arn:");
  if (/^arn:aws:(ssm:[\w-]+:\d+:parameter\/|secretsmanager:[\w-]+:\d+:secret:)([\w.-]+\/)+\*$/.test(resource))
    return true;
  return /^arn:aws:s3:::[\w.-]+\/[\w-]+\/\*$|^arn:aws:logs:[\w-]+:\d+:log-group:[\w/-]+:\*$/.test(resource);
}
