/// <reference path="../.sst/platform/config.d.ts" />
import type { StageSettings } from "../sst.settings.ts";

/** CloudFront lives there, and so must what it logs to. */
const region = "us-east-1";
/** Who asked for what and got what. No query and no cookie: a sign-in's code comes by one, a session by the other. */
const recordFields = [
  "date",
  "time",
  "c-ip",
  "cs-method",
  "cs-uri-stem",
  "sc-status",
  "sc-bytes",
  "time-taken",
  "x-edge-result-type",
  "x-edge-request-id",
  "cs(User-Agent)",
];

/** The edge's access log: every request to the dashboard and the API, also those that no function of ours has seen. */
export function createEdgeLog(settings: StageSettings, router: sst.aws.Router) {
  const name = `${$app.name}-${$app.stage}-edge`;
  const logs = new aws.cloudwatch.LogGroup("EdgeLogs", {
    name: `/aws/vendedlogs/${$app.name}/${$app.stage}/edge`,
    retentionInDays: settings.logRetentionDays,
    region,
  });
  const { accountId } = aws.getCallerIdentityOutput();
  const statement = {
    Effect: "Allow",
    Principal: { Service: "delivery.logs.amazonaws.com" },
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: $interpolate`${logs.arn}:log-stream:*`,
    Condition: { StringEquals: { "aws:SourceAccount": accountId } },
  };
  const policy = new aws.cloudwatch.LogResourcePolicy("EdgeLogsPolicy", {
    policyName: name,
    policyDocument: $jsonStringify({ Version: "2012-10-17", Statement: [statement] }),
    region,
  });
  const source = new aws.cloudwatch.LogDeliverySource("EdgeLogsSource", {
    name,
    logType: "ACCESS_LOGS",
    resourceArn: router.nodes.cdn.apply((cdn) => cdn.nodes.distribution.arn),
    region,
  });
  const destination = new aws.cloudwatch.LogDeliveryDestination("EdgeLogsDestination", {
    name,
    outputFormat: "json",
    deliveryDestinationConfiguration: { destinationResourceArn: logs.arn },
    region,
  });
  const delivery = {
    deliverySourceName: source.name,
    deliveryDestinationArn: destination.arn,
    recordFields,
    region,
  };
  new aws.cloudwatch.LogDelivery("EdgeLogsDelivery", delivery, { dependsOn: [policy] });
}
