import * as z from "zod";

const variables = {
  FollowerDatabaseUrl: "FOLLOWER_DATABASE_URL",
  PredictorDatabaseUrl: "PREDICTOR_DATABASE_URL",
  ApiKey: "API_KEY",
  AlertSecretKey: "ALERT_SECRET_KEY",
};
const Linked = z.object({ value: z.string() });

/**
 * `environment` with the secrets filled in that SST linked to this function (encrypted in its bundle) or to `sst
 * shell`; what the environment already has wins. `environment` itself where SST is not in play.
 */
export async function withLinkedSecrets(
  environment: Record<string, string | undefined>,
): Promise<Record<string, string | undefined>> {
  if (!environment.SST_RESOURCE_App) return environment;
  const { Resource } = await import("sst/resource");
  const linked: Record<string, unknown> = { ...Resource };
  const secrets: Record<string, string> = {};
  for (const [name, variable] of Object.entries(variables)) {
    const secret = Linked.safeParse(linked[name]);
    if (secret.success && !environment[variable]) secrets[variable] = secret.data.value;
  }
  return { ...environment, ...secrets };
}
