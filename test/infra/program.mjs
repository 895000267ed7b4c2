// Runs inside the platform SST installs: the real sst.config.ts under Pulumi's mocks, every resource written down.
import { writeFileSync } from "node:fs";
import { runtime } from "@pulumi/pulumi";

const region = "eu-central-1";
const account = "123456789012";
const secretMark = "4dabf18193072939515e22adb298388d";

/** Pulumi marks secrets by a wrapper; here the plain value is what is looked at. */
function unwrap(value) {
  if (Array.isArray(value)) return value.map(unwrap);
  if (value === null || typeof value !== "object") return value;
  if (secretMark in value) return unwrap(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

const arn = (service, rest) => `arn:aws:${service}:${region}:${account}:${rest}`;

/** What AWS would answer after creating the resource: what others refer to. */
const created = {
  "aws:lambda/function:Function": ({ name }) => ({
    arn: arn("lambda", `function:${name}`),
    qualifiedArn: arn("lambda", `function:${name}:1`),
    invokeArn: arn("apigateway", name),
    lastModified: "2026-01-01",
    version: "1",
  }),
  "aws:lambda/functionUrl:FunctionUrl": ({ functionName }) => ({
    functionUrl: `https://${functionName.toLowerCase()}.lambda-url.${region}.on.aws/`,
  }),
  "aws:sqs/queue:Queue": ({ name }) => ({
    arn: arn("sqs", name),
    url: `https://sqs.${region}.amazonaws.com/${account}/${name}`,
  }),
  "aws:s3/bucket:Bucket": ({ bucket }) => ({
    arn: `arn:aws:s3:::${bucket}`,
    bucketRegionalDomainName: `${bucket}.s3.${region}.amazonaws.com`,
    bucketDomainName: `${bucket}.s3.amazonaws.com`,
  }),
  "aws:iam/role:Role": ({ name }) => ({ arn: `arn:aws:iam::${account}:role/${name}` }),
  "aws:cloudwatch/logGroup:LogGroup": ({ name }) => ({ arn: arn("logs", `log-group:${name}`) }),
  "aws:sns/topic:Topic": ({ name }) => ({ arn: arn("sns", name) }),
  "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": ({ name }) => ({
    arn: arn("logs", `delivery-destination:${name}`),
  }),
  "aws:cloudfront/distribution:Distribution": () => ({
    arn: `arn:aws:cloudfront::${account}:distribution/E1`,
    domainName: "d1.cloudfront.net",
    hostedZoneId: "Z2FDTNDATAQYW2",
  }),
  "aws:cloudfront/keyValueStore:KeyValueStore": () => ({ arn: `arn:aws:cloudfront::${account}:key-value-store/1` }),
  "aws:cloudfront/function:Function": ({ name }) => ({ arn: `arn:aws:cloudfront::${account}:function/${name}` }),
  "random:index/randomBytes:RandomBytes": ({ length }) => ({ base64: Buffer.alloc(length, 7).toString("base64") }),
};

const policy = ({ statements = [] }) => ({
  statements,
  json: JSON.stringify({
    Version: "2012-10-17",
    Statement: statements.map(({ effect, actions, resources, principals, conditions }) => ({
      Effect: effect ?? "Allow",
      Action: actions,
      Resource: resources,
      Principal: principals,
      Condition: conditions,
    })),
  }),
});

const answers = {
  "aws:index/getRegion:getRegion": () => ({ id: region, name: region, region }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com" }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: account }),
  "aws:iam/getPolicyDocument:getPolicyDocument": policy,
};

const resources = [];
const fail = (error) => {
  console.error(error?.stack ?? error);
  process.exit(1);
};
process.on("unhandledRejection", fail);

/** Evaluates the program and writes `{ resources, outputs }` as JSON to `file`. */
export async function recordProgram(file, stage, program) {
  await runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const plain = unwrap(inputs);
        const state = { ...plain, ...created[type]?.(plain) };
        return { id: state.url ?? state.bucket ?? `${name}-id`, state };
      },
      call({ token, inputs }) {
        const answer = answers[token];
        if (!answer) throw new Error(`no answer for ${token}`);
        return answer(unwrap(inputs));
      },
    },
    "iot-lstm-predictor",
    stage,
    false,
  );
  const monitor = runtime.getMonitor();
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    const inputs = unwrap(runtime.deserializeProperties(request.getObject()));
    resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs,
      isProtected: request.getProtect(),
      isRetained: request.getRetainondelete(),
    });
    return register(request, callback);
  };
  const outputs = await runtime.runInPulumiStack(program).catch(fail);
  await runtime.disconnect().catch(fail);
  const resolved = unwrap(await runtime.serializeProperties("outputs", outputs ?? {}));
  writeFileSync(file, JSON.stringify({ resources, outputs: resolved }));
  process.exit(0);
}
