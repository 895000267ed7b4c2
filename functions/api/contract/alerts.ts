import { z } from "@hono/zod-openapi";
import { ChannelSettings } from "../../../core/alert/channel.ts";
import { RuleBody, severities } from "../../../core/alert/rule.ts";
import { alertStates } from "../../../core/alert/state.ts";
import { page, quantiles, Text, time } from "./common.ts";

/** The shapes of rules, of what fired, and of where it is told. */

export const AlertState = z.enum(alertStates).openapi("AlertState", {
  description:
    "`blind`: what the rule looks at is missing or too old, or nobody has looked yet; it never reads ok. `muted`: firing, and nobody is told",
});

export const RuleRequest = z.strictObject(RuleBody.shape).openapi("AlertRuleRequest");

export const Evidence = z
  .object({
    target: z.string().optional(),
    unit: z.string().optional(),
    value: z.number().optional(),
    low: z.number().nullable().optional(),
    high: z.number().nullable().optional(),
    chance: z.number().optional(),
    crossesAt: time.optional(),
    origin: time.optional(),
    seconds: z.number().optional(),
    reason: z.string().nullable().optional(),
  })
  .openapi("AlertEvidence", { description: "Why, in numbers; what does not belong to the rule's kind is left out" });

const counts = z.object(
  Object.fromEntries(alertStates.map((state) => [state, z.int()])) as Record<(typeof alertStates)[number], z.ZodInt>,
);

export const RuleResponse = z
  .object({
    ...RuleBody.shape,
    ruleId: z.string(),
    createdAt: time,
    createdBy: z.string(),
    /** Since when it watches what it watches. */
    since: time,
    /** The worst of its sensors. */
    state: AlertState,
    /** How many sensors are in each state. */
    states: counts,
    /** Those that are not ok, worst first, twenty at most. */
    standings: z.array(
      z.object({ sensorId: z.string(), state: AlertState, since: time, text: z.string(), evidence: Evidence }),
    ),
  })
  .openapi("AlertRule");
export type RuleResponse = z.infer<typeof RuleResponse>;
export const RulePage = page(RuleResponse).openapi("AlertRulePage");

export const AlertResponse = z
  .object({
    alertId: z.int(),
    ruleId: z.string(),
    ruleName: z.string(),
    severity: z.enum(severities),
    /** Null: the system. */
    sensorId: z.string().nullable(),
    firedAt: time,
    clearedAt: time.nullable(),
    text: z.string(),
    evidence: Evidence,
    acknowledgedAt: time.nullable(),
    acknowledgedBy: z.string().nullable(),
    note: z.string().nullable(),
  })
  .openapi("Alert");
export type AlertResponse = z.infer<typeof AlertResponse>;
export const AlertPage = page(AlertResponse).openapi("AlertPage");
export const AcknowledgeRequest = z
  .object({ note: Text(1_000).trim().min(1).nullable().default(null) })
  .openapi("AcknowledgeRequest");

const warning = z.object({ median: z.number(), least: z.number() }).nullable();
const rehearsalCounts = { fired: z.int(), true: z.int(), false: z.int(), missed: z.int(), warningSeconds: warning };

const IssuedForecast = z.object({ origin: time, targetAt: z.array(time), ...quantiles });
export type IssuedForecast = z.infer<typeof IssuedForecast>;

export const rehearsalSources = ["ledger", "backtest"] as const;

export const RehearsalResponse = z
  .object({
    over: z.enum(rehearsalSources),
    /** Where the forecasts came from, and what that is worth, in words. */
    overText: z.string(),
    from: time,
    to: time,
    ...rehearsalCounts,
    /** Fired, and its time is not over or was not measured whole. */
    open: z.int(),
    blindSlots: z.int(),
    slots: z.int(),
    /** The sensors looked at, of so many that the rule selects. */
    sensorIds: z.array(z.string()),
    selected: z.int(),
    /** Slots that annotations leave out, blind ones or not: nothing in them is counted. */
    leftOutSlots: z.int(),
    /** Oldest first, 500 at most. */
    events: z.array(
      z.object({
        sensorId: z.string(),
        limits: z.object({ low: z.number().nullable(), high: z.number().nullable() }),
        result: z.enum(["true", "false", "missed", "open"]),
        firedAt: time.nullable(),
        clearedAt: time.nullable(),
        from: time.nullable(),
        to: time.nullable(),
        warningSeconds: z.number().nullable(),
        /** What made it fire, as it was issued; of the first 100, and of rules on forecasts only. */
        forecast: IssuedForecast.nullable(),
      }),
    ),
    tradeOff: z.array(z.object({ chance: z.number(), shift: z.number(), ...rehearsalCounts })),
  })
  .openapi("Rehearsal", {
    description:
      "`true`: it fired and the value went beyond its limit within the rule's time; `false`: it did not; `missed`: it did and nothing fired. `shift` moves the limits outwards",
  });

export const ChannelRequest = z
  .strictObject({
    name: Text(100).trim().min(1),
    isEnabled: z.boolean().default(true),
    settings: ChannelSettings,
    /** Left out: it stays as it is. */
    secret: Text(2_000).optional(),
  })
  .openapi("AlertChannelRequest", {
    description:
      "`secret`: of a webhook the key that signs (16 characters at least), of Slack and Teams the whole URL, of Kafka the password. It is stored encrypted and never shown again. `env:CHANNEL_SECRET_NAME` refers to a variable of who tells, `ssm:` and `secretsmanager:` with a name to AWS",
  });
export const ChannelResponse = z
  .object({
    channelId: z.string(),
    name: z.string(),
    isEnabled: z.boolean(),
    settings: ChannelSettings,
    hasSecret: z.boolean(),
    createdAt: time,
    createdBy: z.string(),
  })
  .openapi("AlertChannel");
export const ChannelList = z.object({ items: z.array(ChannelResponse) }).openapi("AlertChannelList");
export const TestAccepted = z
  .object({ channelId: z.string(), idempotencyKey: z.string(), status: z.literal("queued") })
  .openapi("AlertTestAccepted");
export const DeliveryList = z
  .object({
    items: z.array(
      z.object({
        key: z.string(),
        notifications: z.int(),
        attempt: z.int(),
        at: time,
        elapsedMs: z.int(),
        isOk: z.boolean(),
        detail: z.string(),
      }),
    ),
  })
  .openapi("AlertDeliveryList");
export const Removed = z.object({ removed: z.literal(true) }).openapi("Removed");
