import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { awsSecrets, variableSecrets } from "../../../../functions/adapters/notify/secrets.ts";

const stored: Record<string, string> = {};
let asked: string[];
let answer: { status: number; body: object } | null;
let server: Server;
const saved = { ...process.env };

/** SSM and Secrets Manager, as much as the real clients ask of them. */
beforeEach(async () => {
  [asked, answer] = [[], null];
  Object.assign(stored, { "/site/alerts/hook": "from ssm", "site/alerts/hook": "from the manager" });
  server = createServer(async (request, response) => {
    const { Name, SecretId, WithDecryption } = JSON.parse(await text(request));
    const name: string = Name ?? SecretId;
    asked.push(`${request.headers["x-amz-target"]} ${name} ${WithDecryption ?? ""}`.trim());
    const value = stored[name];
    const missing = Name === undefined ? "ResourceNotFoundException" : "ParameterNotFound";
    const found = Name === undefined ? { SecretString: value } : { Parameter: { Value: value } };
    const { status, body } = answer ?? {
      status: value === undefined ? 400 : 200,
      body: value === undefined ? { __type: missing, message: "none" } : found,
    };
    response.writeHead(status, { "Content-Type": "application/x-amz-json-1.1" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  Object.assign(process.env, {
    ...{ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "eu-central-1" },
    ...{ AWS_ENDPOINT_URL: endpoint, AWS_MAX_ATTEMPTS: "1" },
  });
});
afterEach(async () => {
  process.env = { ...saved };
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const source = () => awsSecrets(variableSecrets({ CHANNEL_SECRET_A: "a variable" }));
const ssm = { store: "ssm", name: "/site/alerts/hook" } as const;
const manager = { store: "secretsmanager", name: "site/alerts/hook" } as const;

describe("secrets in AWS", () => {
  it("are read by name, decrypted, and once in five minutes", async () => {
    const find = source();
    for (const _ of [1, 2]) expect([await find(ssm), await find(manager)]).toEqual(["from ssm", "from the manager"]);
    expect(asked).toEqual([
      "AmazonSSM.GetParameter /site/alerts/hook true",
      "secretsmanager.GetSecretValue site/alerts/hook",
    ]);
    expect(await find({ store: "env", name: "CHANNEL_SECRET_A" })).toBe("a variable");
  });

  it("that are not there are null, and looked for again", async () => {
    const find = source();
    delete stored["/site/alerts/hook"];
    delete stored["site/alerts/hook"];
    expect([await find(ssm), await find(manager)]).toEqual([null, null]);
    stored["/site/alerts/hook"] = "now there";
    expect(await find(ssm)).toBe("now there");
  });

  it("that may not be read say so, and what to look at", async () => {
    const find = source();
    answer = { status: 400, body: { __type: "AccessDeniedException", message: "role may not" } };
    await expect(find(ssm)).rejects.toThrow(/ssm:\/site\/alerts\/hook could not be read: role may not; may the role/);
    answer = { status: 500, body: { __type: "InternalServerError", message: "later" } };
    await expect(find(manager)).rejects.toThrow(/secretsmanager:.*trying again/);
    Object.assign(process.env, { AWS_REGION: "", AWS_CONFIG_FILE: "/nowhere", AWS_EC2_METADATA_DISABLED: "true" });
    delete process.env.AWS_REGION;
    await expect(source()(ssm)).rejects.toThrow("AWS_REGION");
  });
});
