/// <reference path="../.sst/platform/config.d.ts" />

const leastLength = 32;

/** The first administrator's key. Without it, or with a short one, nothing is deployed: the API would stand open. */
export function createApiKey() {
  const apiKey = new sst.Secret("ApiKey");
  $output(apiKey.value).apply((value) => {
    if (value.length >= leastLength) return;
    const remedy = 'npx sst secret set ApiKey "$(openssl rand -hex 32)"';
    throw new Error(`ApiKey has ${value.length} characters, at least ${leastLength} are needed: ${remedy}`);
  });
  return apiKey;
}
