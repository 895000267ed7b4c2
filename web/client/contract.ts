// Written by `npm run client:contract` from the API's OpenAPI document. Change the contract, not this file.

export type SensorStatus = "ok" | "baseline" | "stale" | "refused" | "waiting";
export type FleetSensor = SensorSummary & {
  statusText: string;
  crossing?: FleetCrossing;
  targets: FleetTarget[];
};
/**
 * The likeliest crossing of the sensor's limits, or of those of a rule on it, within 24 h
 */
export type FleetCrossing = CrossingAhead & {
  target: string;
};
/**
 * `outage`, `moved`, `calibrated` and `open window` disturb: the stretch is left out of training, profiles, scoring,
 * drift and rehearsal. `event` is a note, and nothing is left out
 */
export type AnnotationKind = "outage" | "moved" | "calibrated" | "open window" | "event";
/**
 * `blind`: what the rule looks at is missing or too old, or nobody has looked yet; it never reads ok. `muted`: firing,
 * and nobody is told
 */
export type AlertState = "ok" | "pending" | "firing" | "blind" | "muted";
/**
 * An API key, or the token of a one-time link
 */
export type SessionRequest =
  | {
      key: string;
    }
  | {
      link: string;
    };

/**
 * What each request takes and answers, by method and path.
 */
export interface Operations {
  /**
   * The process answers
   */
  "get /healthz": {
    answer: Health;
  };
  /**
   * Both databases answer and the newest due slot has its outcomes
   */
  "get /readyz": {
    answer: Ready;
  };
  /**
   * Sensors with their state, a page at a time: searched, filtered, sorted, counted
   */
  "get /v1/sensors": {
    query: {
      /**
       * `fleet`: with last values, forecast, skill and coverage per target, and a sparse history on one grid
       */
      view?: "summary" | "fleet";
      /**
       * Any of ok, baseline, stale, refused, waiting
       */
      status?: string;
      /**
       * Words, each part of the sensorId, name, group, place, modelId or reason, in any case
       */
      q?: string;
      /**
       * Sensors of this group and those within it
       */
      group?: string;
      /**
       * `attention`: refused, stale, baseline, waiting, ok, and within one of them what fares worst first; `age`: the
       * oldest newest reading first; `chance`: the likeliest crossing of a limit first; `-` turns the order round
       */
      sort?:
        | "sensorId"
        | "-sensorId"
        | "attention"
        | "-attention"
        | "age"
        | "-age"
        | "skill"
        | "-skill"
        | "coverage"
        | "-coverage"
        | "model"
        | "-model"
        | "chance"
        | "-chance";
      /**
       * The `version` of an earlier page: only sensors that have changed since
       */
      changedSince?: string;
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      /**
       * Skips so many sensors, for tables that are scrolled; programs follow `nextCursor`
       */
      offset?: number;
      limit?: number;
    };
    answer: SensorPage | FleetPage;
  };
  /**
   * One sensor
   */
  "get /v1/sensors/{id}": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    answer: Sensor;
  };
  /**
   * Name a sensor, group it, give its targets limits
   */
  "patch /v1/sensors/{id}": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    body: ProfileRequest;
    answer: Profile;
  };
  /**
   * Measured values on the grid
   */
  "get /v1/sensors/{id}/readings": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    query: {
      /**
       * Exclusive, rounded down to the step; 24 h before `to` by default
       */
      from?: string;
      /**
       * Inclusive, rounded down to the step; now by default and at the latest
       */
      to?: string;
      /**
       * Overrules the Accept header
       */
      format?: "json" | "csv";
    };
    answer: Readings;
  };
  /**
   * Served forecasts: the latest, those of a past moment, or one lead over time
   */
  "get /v1/sensors/{id}/forecasts": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    query: {
      /**
       * All targets by default
       */
      target?: string;
      /**
       * What was known then: only forecasts issued and scores made by it
       */
      as_of?: string;
      /**
       * Forecasts of exactly this origin
       */
      origin?: string;
      /**
       * A series instead: what was forecast this many steps ahead
       */
      lead?: number;
      /**
       * Inclusive: of the origin, or with `lead` of targetAt
       */
      from?: string;
      /**
       * Exclusive: of the origin, or with `lead` of targetAt
       */
      to?: string;
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      /**
       * Origins a page, newest first; all their targets come with them
       */
      limit?: number;
      /**
       * Overrules the Accept header
       */
      format?: "json" | "csv";
    };
    answer: ForecastList | LeadSeriesList;
  };
  /**
   * Forecast one or several sensors now
   */
  "post /v1/forecasts": {
    body: OnDemandRequest;
    answer: OnDemandResponse;
  };
  /**
   * The newest forecasts of the whole fleet, as a stream
   */
  "get /v1/forecasts": {
    query: {
      /**
       * All targets by default
       */
      target?: string;
      /**
       * Sensors of this group and those within it
       */
      group?: string;
      format?: "ndjson" | "csv";
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      /**
       * All sensors by default
       */
      limit?: number;
    };
    line: ForecastLine;
  };
  /**
   * How good the forecasts were, against what was measured and against the yardsticks
   */
  "get /v1/sensors/{id}/accuracy": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    query: {
      group_by?: "lead" | "day" | "model";
      /**
       * Inclusive, of targetAt; 7 days before `to` by default
       */
      from?: string;
      /**
       * Exclusive, of targetAt; now by default; at most 31 days
       */
      to?: string;
    };
    answer: Accuracy;
  };
  /**
   * Versions of fleets' networks, newest first: which one serves, which one is on trial, and of how many sensors
   */
  "get /v1/fleets": {
    answer: FleetVersionList;
  };
  /**
   * Make a version the one that serves, for all of its sensors at once
   */
  "post /v1/fleets/{id}:promote": {
    path: {
      /**
       * fleetId
       */
      id: string;
    };
    body: ReasonRequest;
    answer: FleetVersion;
  };
  /**
   * Take back the version that serves: the one before serves again, for all sensors at once
   */
  "post /v1/fleets/{id}:rollback": {
    path: {
      /**
       * fleetId
       */
      id: string;
    };
    body: ReasonRequest;
    answer: FleetVersion;
  };
  /**
   * Models, newest first
   */
  "get /v1/models": {
    query: {
      sensorId?: string;
      /**
       * Words, each part of the modelId, sensorId or reason, in any case
       */
      q?: string;
      status?: "challenger" | "champion" | "retired";
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      limit?: number;
    };
    answer: ModelPage;
  };
  /**
   * One model with its receipt: data hash, range, seed, engine, sha256
   */
  "get /v1/models/{id}": {
    path: {
      /**
       * modelId
       */
      id: string;
    };
    answer: Model;
  };
  /**
   * The evidence of a challenger's trial: what would be decided now, and on which losses
   */
  "get /v1/models/{id}/trial": {
    path: {
      /**
       * modelId
       */
      id: string;
    };
    answer: Trial;
  };
  /**
   * Make a model its sensor's champion; the one before is retired
   */
  "post /v1/models/{id}:promote": {
    path: {
      /**
       * modelId
       */
      id: string;
    };
    body: ReasonRequest;
    answer: Model;
  };
  /**
   * Make the champion before this one champion again
   */
  "post /v1/sensors/{id}:rollback": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    body: ReasonRequest;
    answer: Model;
  };
  /**
   * Ask for the sensor's part by its fleet's network, renewed with its newest readings
   */
  "post /v1/sensors/{id}:train": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    answer: TrainAccepted;
  };
  /**
   * What people say of stretches of sensors' time, newest beginning first
   */
  "get /v1/annotations": {
    query: {
      sensorId?: string;
      kind?: "outage" | "moved" | "calibrated" | "open window" | "event";
      /**
       * Those that touch [from, to)
       */
      from?: string;
      to?: string;
      /**
       * With those that were taken back
       */
      removed?: "true" | "false";
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      limit?: number;
    };
    answer: AnnotationPage;
  };
  /**
   * Mark a stretch of a sensor's time
   */
  "post /v1/annotations": {
    body: AnnotationRequest;
    answer: Annotation;
  };
  /**
   * One annotation, also where it was taken back
   */
  "get /v1/annotations/{id}": {
    path: {
      /**
       * annotationId
       */
      id: string;
    };
    answer: Annotation;
  };
  /**
   * Change an annotation; it stays its sensor's
   */
  "patch /v1/annotations/{id}": {
    path: {
      /**
       * annotationId
       */
      id: string;
    };
    body: AnnotationChange;
    answer: Annotation;
  };
  /**
   * Take an annotation back: what it left out is in again from the next pass on
   */
  "delete /v1/annotations/{id}": {
    path: {
      /**
       * annotationId
       */
      id: string;
    };
    answer: Annotation;
  };
  /**
   * Let an annotation hold again that was taken back
   */
  "post /v1/annotations/{id}:restore": {
    path: {
      /**
       * annotationId
       */
      id: string;
    };
    answer: Annotation;
  };
  /**
   * Alert rules with how they stand
   */
  "get /v1/alert-rules": {
    query: {
      /**
       * Only the rules that watch this sensor and are on, with how they stand with it alone
       */
      sensorId?: string;
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      limit?: number;
    };
    answer: AlertRulePage;
  };
  /**
   * Make a rule
   */
  "post /v1/alert-rules": {
    body: AlertRuleRequest;
    answer: AlertRule;
  };
  /**
   * One rule with how it stands
   */
  "get /v1/alert-rules/{id}": {
    path: {
      /**
       * ruleId
       */
      id: string;
    };
    answer: AlertRule;
  };
  /**
   * Replace a rule; where it watches something else than before, it begins anew
   */
  "put /v1/alert-rules/{id}": {
    path: {
      /**
       * ruleId
       */
      id: string;
    };
    body: AlertRuleRequest;
    answer: AlertRule;
  };
  /**
   * Remove a rule; what it fired stays in the history
   */
  "delete /v1/alert-rules/{id}": {
    path: {
      /**
       * ruleId
       */
      id: string;
    };
    answer: Removed;
  };
  /**
   * What fires and what fired, newest first
   */
  "get /v1/alerts": {
    query: {
      state?: "firing" | "over" | "all";
      sensorId?: string;
      ruleId?: string;
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      limit?: number;
    };
    answer: AlertPage;
  };
  /**
   * Say that somebody has seen it, with a note
   */
  "post /v1/alerts/{id}:acknowledge": {
    path: {
      /**
       * alertId
       */
      id: string;
    };
    body: AcknowledgeRequest;
    answer: Alert;
  };
  /**
   * What a rule would have done, by the forecasts as they were issued and what then came
   */
  "post /v1/alert-rules:rehearse": {
    body: RehearseRequest;
    answer: Rehearsal;
  };
  /**
   * Where alerts are told; of secrets nothing is shown
   */
  "get /v1/alert-channels": {
    answer: AlertChannelList;
  };
  /**
   * Add a channel
   */
  "post /v1/alert-channels": {
    body: AlertChannelRequest;
    answer: AlertChannel;
  };
  /**
   * Replace a channel; a secret that is left out stays
   */
  "put /v1/alert-channels/{id}": {
    path: {
      /**
       * channelId
       */
      id: string;
    };
    body: AlertChannelRequest;
    answer: AlertChannel;
  };
  /**
   * Remove a channel with what it has not told yet
   */
  "delete /v1/alert-channels/{id}": {
    path: {
      /**
       * channelId
       */
      id: string;
    };
    answer: Removed;
  };
  /**
   * Each try to deliver, newest first, with what the receiver said
   */
  "get /v1/alert-channels/{id}/deliveries": {
    path: {
      /**
       * channelId
       */
      id: string;
    };
    query: {
      limit?: number;
    };
    answer: AlertDeliveryList;
  };
  /**
   * Tell a test on it; /deliveries shows what came of it
   */
  "post /v1/alert-channels/{id}:test": {
    path: {
      /**
       * channelId
       */
      id: string;
    };
    answer: AlertTestAccepted;
  };
  /**
   * Source lag and freshness, cycles, queues, database size
   */
  "get /v1/ops": {
    answer: Ops;
  };
  /**
   * Who asks, what they may do, and how to sign in
   */
  "get /v1/session": {
    answer: Session;
  };
  /**
   * Sign in to the dashboard with an API key or a one-time link
   */
  "post /v1/session": {
    body: SessionRequest;
    answer: Session;
  };
  /**
   * Sign out
   */
  "delete /v1/session": {
    answer: Session;
  };
  /**
   * The chart that a shared link shows
   */
  "get /v1/shared-chart": {
    answer: SharedChart;
  };
  /**
   * Make a link that shows one chart of the sensor to whoever has it
   */
  "post /v1/sensors/{id}:share": {
    path: {
      /**
       * sensorId; `.` and `..` are written `~.` and `~..`
       */
      id: string;
    };
    body: ShareRequest;
    answer: Share;
  };
  /**
   * API keys, newest first, revoked and expired ones too
   */
  "get /v1/keys": {
    answer: ApiKeyList;
  };
  /**
   * Make an API key; its token is shown this once
   */
  "post /v1/keys": {
    body: NewKeyRequest;
    answer: NewKey;
  };
  /**
   * End a key for good; sessions that it has opened end with it
   */
  "post /v1/keys/{id}:revoke": {
    path: {
      /**
       * keyId
       */
      id: string;
    };
    answer: ApiKey;
  };
  /**
   * Who did what, newest first; kept for a year
   */
  "get /v1/audit": {
    query: {
      /**
       * nextCursor of the page before
       */
      cursor?: string;
      limit?: number;
    };
    answer: AuditPage;
  };
}
export interface Health {
  status: "ok";
  codeVersion: string;
}
export interface Ready {
  status: "ready";
  newestSlot: string;
}
export interface SensorPage {
  items: SensorSummary[];
  nextCursor: string | null;
  total: number;
  counts: {
    ok: number;
    baseline: number;
    stale: number;
    refused: number;
    waiting: number;
  };
  version: string;
}
export interface SensorSummary {
  sensorId: string;
  name?: string;
  group?: string;
  status: SensorStatus;
  reason?: string;
  newestReadingAt: string | null;
  modelId: string | null;
  skill: number | null;
  coverage: number | null;
  chance?: number;
}
export interface FleetPage {
  items: FleetSensor[];
  nextCursor: string | null;
  total: number;
  counts: {
    ok: number;
    baseline: number;
    stale: number;
    refused: number;
    waiting: number;
  };
  version: string;
  grid: {
    from: string;
    stepSeconds: number;
  };
}
/**
 * How likely the value goes beyond a limit before the forecast ends
 */
export interface CrossingAhead {
  side: "above" | "below";
  limit: number;
  chance: number;
  crossesAt: string;
  isBeyond: boolean;
  text: string;
}
export interface FleetTarget {
  target: string;
  unit: string;
  lastValue: number | null;
  lastReadingAt: string | null;
  history: (number | null)[];
  forecast: FleetForecast | null;
  skill: number | null;
  coverage: Coverage;
}
/**
 * The newest forecast, thinned to 16 leads at most (steps after the origin), with the decimals that its band needs
 */
export interface FleetForecast {
  method: "lstm" | "baseline";
  origin: string;
  stepSeconds: number;
  leads: number[];
  q10: number[];
  q50: number[];
  q90: number[];
}
/**
 * Nominal and observed coverage of [q10, q90] by this sensor's model, over the n points scored in the last 7 days
 */
export interface Coverage {
  nominal: number;
  observed: number | null;
  n: number;
}
export interface Sensor {
  sensorId: string;
  status: SensorStatus;
  statusText: string;
  newestReadingAt: string | null;
  lastOutcome: {
    slot: string;
    status: string;
    reason: string | null;
    reasonText: string | null;
    have: number | null;
    need: number | null;
    held: number;
  } | null;
  modelId: string | null;
  profile: Profile;
  targets: SensorTarget[];
}
/**
 * The sensor as people know it: edited here, else as its source's table says
 */
export interface Profile {
  name: string | null;
  group: string | null;
  place: string | null;
  notes: string | null;
  limits: {
    [k: string]: {
      low: number | null;
      high: number | null;
    };
  };
}
export interface SensorTarget {
  target: string;
  unit: string;
  min: number;
  max: number;
  lastValue: number | null;
  lastReadingAt: string | null;
  history: {
    at: string[];
    value: (number | null)[];
  };
  forecast: Forecast | null;
  crossings: CrossingAhead[] | null;
  skill: {
    persistence: number | null;
    seasonalNaive: number | null;
    n: number;
  };
}
export interface Forecast {
  sensorId: string;
  target: string;
  unit: string;
  origin: string;
  issuedAt: string;
  slot: string;
  stepSeconds: number;
  method: "lstm" | "baseline";
  baseline: string | null;
  reason: string | null;
  reasonText: string | null;
  modelId: string | null;
  modelSha256: string | null;
  sourceWatermark: string;
  imputedSteps: number;
  neighbours: number | null;
  codeVersion: string;
  coverage: Coverage;
  mix: Mix | null;
  leads: number[];
  targetAt: string[];
  q10: number[];
  q50: number[];
  q90: number[];
  level?: CounterLevel;
}
/**
 * How the quantiles came about: mean weights of the experts (together 1), and mean factors on the band's two sides, per
 * group of leads; the middle moves, by half of a side at most, to where more of the latest actuals were
 */
export interface Mix {
  learntThrough: string | null;
  challengerId: string | null;
  groups: {
    firstLead: number;
    lastLead: number;
    weights: {
      lstm: number;
      challenger: number;
      ridge: number;
      climatology: number;
      persistence: number;
    };
    widths: {
      lower: number;
      upper: number;
    };
  }[];
}
/**
 * Of a counter, whose rate per hour is what the forecast holds: where it will stand at each `targetAt`. The band is the
 * sum of the steps' bands, which is wider than 80 %
 */
export interface CounterLevel {
  unit: string;
  readAt: string;
  from: number;
  q10: number[];
  q50: number[];
  q90: number[];
}
/**
 * What is left out stays; null takes back what was edited here
 */
export interface ProfileRequest {
  name?: string | null;
  group?: string | null;
  place?: string | null;
  notes?: string | null;
  limits?: {
    [k: string]: {
      low: number | null;
      high: number | null;
    } | null;
  };
}
/**
 * Grid values in (from, to]; null where nothing was measured
 */
export interface Readings {
  sensorId: string;
  stepSeconds: number;
  from: string;
  to: string;
  at: string[];
  targets: {
    target: string;
    unit: string;
    value: (number | null)[];
    heldBack: {
      at: string;
      value: number;
    }[];
    shift: {
      at: string;
      text: string;
    } | null;
    standing: (number | null)[];
    everySeconds: number | null;
  }[];
}
export interface ForecastList {
  items: Forecast[];
  nextCursor: string | null;
}
export interface LeadSeriesList {
  items: LeadSeries[];
  nextCursor: string | null;
}
export interface LeadSeries {
  sensorId: string;
  target: string;
  unit: string;
  lead: number;
  targetAt: string[];
  origin: string[];
  q10: (number | null)[];
  q50: (number | null)[];
  q90: (number | null)[];
}
export interface OnDemandRequest {
  sensorIds: string[];
}
export interface OnDemandResponse {
  slot: string;
  items: OnDemandItem[];
}
export interface OnDemandItem {
  sensorId: string;
  status: "issued" | "baseline" | "refused" | "expired" | "notFound" | "queued";
  reason: string | null;
  reasonText: string | null;
  have: number | null;
  need: number | null;
  forecasts: Forecast[];
}
/**
 * A line of the stream of newest forecasts
 */
export interface ForecastLine {
  sensorId: string;
  target: string;
  unit: string;
  slot: string;
  origin: string;
  issuedAt: string;
  stepSeconds: number;
  method: "lstm" | "baseline";
  baseline: string | null;
  reason: string | null;
  modelId: string | null;
  leads: number[];
  q10: number[];
  q50: number[];
  q90: number[];
}
/**
 * Scores of targetAt in [from, to). `lead` and `day` count served forecasts; `model` every model that ran
 */
export interface Accuracy {
  sensorId: string;
  from: string;
  to: string;
  groupBy: "lead" | "day" | "model";
  leftOut: LeftOut[];
  targets: {
    target: string;
    unit: string;
    overall: AccuracyGroup | null;
    withLeftOut: AccuracyGroup | null;
    groups: AccuracyGroup[];
  }[];
}
/**
 * What an annotation leaves out: [from, to), of all targets where `target` is null
 */
export interface LeftOut {
  annotationId: string;
  target: string | null;
  kind: AnnotationKind;
  from: string;
  to: string | null;
}
export interface AccuracyGroup {
  key: string;
  lead: number | null;
  n: number;
  mae: number;
  rmse: number;
  pinball: number;
  coverage: Coverage;
  persistenceMae: number | null;
  seasonalNaiveMae: number | null;
  skillPersistence: number | null;
  skillSeasonalNaive: number | null;
}
export interface FleetVersionList {
  items: FleetVersion[];
}
/**
 * A version of a fleet's network; each sensor's model is a part of one
 */
export interface FleetVersion {
  fleetId: string;
  group: string;
  status: "challenger" | "champion" | "retired";
  statusReason: string;
  digest: string;
  createdAt: string;
  promotedAt: string | null;
  retiredAt: string | null;
  champions: number;
  challengers: number;
}
/**
 * Why: stored with the model
 */
export interface ReasonRequest {
  reason: string;
}
export interface ModelPage {
  items: Model[];
  nextCursor: string | null;
}
export interface Model {
  modelId: string;
  sensorId: string;
  status: "challenger" | "champion" | "retired";
  statusReason: string;
  modelSha256: string;
  fleetId: string | null;
  createdAt: string;
  promotedAt: string | null;
  retiredAt: string | null;
  targets: string[];
  stepSeconds: number;
  contextLength: number;
  horizon: number;
  leads: number[];
  training: {
    from: string;
    to: string;
    windows: number;
    seed: number;
    engine: string;
    cpuSeconds: number;
    dataSha256: string;
    leftOut: LeftOut[];
    shortHistory: {
      days: number;
      kept: "pooled" | "own";
      reason: string;
      validationWindows: number;
      compared: {
        name: string;
        mae: number;
        pinball: number;
      }[];
      donors: string[];
      donorWindows: number;
    } | null;
  };
  metrics: {
    [k: string]: {
      [k: string]: number;
    };
  };
  codeVersion: string;
}
/**
 * How a challenger stands beside the champion on the moments that both were scored at, and what would be decided now.
 * Losses are in units of the champion's mean pinball loss; `againstId` null: there is no champion, and persistence
 * stands in
 */
export interface Trial {
  modelId: string;
  againstId: string | null;
  decision: "promote" | "keep" | "retire";
  reason: string;
  moments: number;
  minimumMoments: number;
  maximumMoments: number;
  lossRatio: number | null;
  coverage: {
    champion: number;
    challenger: number;
  } | null;
  days: {
    day: string;
    moments: number;
    champion: number;
    challenger: number;
    persistence: number;
  }[];
}
export interface TrainAccepted {
  sensorId: string;
  slot: string;
  status: "queued";
}
export interface AnnotationPage {
  items: Annotation[];
  nextCursor: string | null;
}
export interface Annotation {
  annotationId: string;
  sensorId: string;
  target: string | null;
  kind: AnnotationKind;
  disturbs: boolean;
  from: string;
  to: string | null;
  text: string;
  createdAt: string;
  createdBy: string;
  changedAt: string;
  changedBy: string;
  removedAt: string | null;
}
/**
 * [from, to), without an end where `to` is null; of all targets where `target` is null
 */
export interface AnnotationRequest {
  sensorId: string;
  target?: string | null;
  kind: AnnotationKind;
  from: string;
  to?: string | null;
  text: string;
}
/**
 * What is left out stays
 */
export interface AnnotationChange {
  target?: string | null;
  kind?: AnnotationKind;
  from?: string;
  to?: string | null;
  text?: string;
}
export interface AlertRulePage {
  items: AlertRule[];
  nextCursor: string | null;
}
export interface AlertRule {
  name: string;
  isEnabled: boolean;
  severity: "info" | "warning" | "critical";
  selector:
    | {
        all: true;
      }
    | {
        group: string;
      }
    | {
        sensorIds: string[];
      };
  condition:
    | {
        kind: "forecast";
        target: string;
        low: number | null;
        high: number | null;
        chance: number;
        withinSeconds: number;
      }
    | {
        kind: "forecastChange";
        target: string;
        perHour: number;
        chance: number;
        withinSeconds: number;
      }
    | {
        kind: "observed";
        target: string;
        low: number | null;
        high: number | null;
      }
    | {
        kind: "silent";
        forSeconds: number;
      }
    | {
        kind: "unforecast";
        forSeconds: number;
      }
    | {
        kind: "accuracy";
        target: string;
        coverageBelow: number | null;
        skillBelow: number | null;
      }
    | {
        kind: "sourceAge";
        forSeconds: number;
      }
    | {
        kind: "databaseSize";
        aboveBytes: number;
      }
    | {
        kind: "backupAge";
        forSeconds: number;
      };
  pendingCycles: number;
  clearMargin: number;
  clearChance: number | null;
  repeatSeconds: number | null;
  muteWindows: {
    days: number[];
    from: string;
    to: string;
    timeZone: string;
  }[];
  mutedUntil: string | null;
  channelIds: string[];
  ruleId: string;
  createdAt: string;
  createdBy: string;
  since: string;
  state: AlertState;
  states: {
    ok: number;
    pending: number;
    firing: number;
    blind: number;
    muted: number;
  };
  standings: {
    sensorId: string;
    state: AlertState;
    since: string;
    text: string;
    evidence: AlertEvidence;
  }[];
}
/**
 * Why, in numbers; what does not belong to the rule's kind is left out
 */
export interface AlertEvidence {
  target?: string;
  unit?: string;
  value?: number;
  low?: number | null;
  high?: number | null;
  chance?: number;
  crossesAt?: string;
  origin?: string;
  seconds?: number;
  reason?: string | null;
}
export interface AlertRuleRequest {
  name: string;
  isEnabled?: boolean;
  severity?: "info" | "warning" | "critical";
  selector:
    | {
        all: true;
      }
    | {
        group: string;
      }
    | {
        sensorIds: string[];
      };
  condition:
    | {
        kind: "forecast";
        target: string;
        low?: number | null;
        high?: number | null;
        chance: number;
        withinSeconds: number;
      }
    | {
        kind: "forecastChange";
        target: string;
        perHour: number;
        chance: number;
        withinSeconds: number;
      }
    | {
        kind: "observed";
        target: string;
        low?: number | null;
        high?: number | null;
      }
    | {
        kind: "silent";
        forSeconds: number;
      }
    | {
        kind: "unforecast";
        forSeconds: number;
      }
    | {
        kind: "accuracy";
        target: string;
        coverageBelow?: number | null;
        skillBelow?: number | null;
      }
    | {
        kind: "sourceAge";
        forSeconds: number;
      }
    | {
        kind: "databaseSize";
        aboveBytes: number;
      }
    | {
        kind: "backupAge";
        forSeconds: number;
      };
  pendingCycles?: number;
  clearMargin?: number;
  clearChance?: number | null;
  repeatSeconds?: number | null;
  muteWindows?: {
    days: number[];
    from: string;
    to: string;
    timeZone: string;
  }[];
  mutedUntil?: string | null;
  channelIds?: string[];
}
export interface Removed {
  removed: true;
}
export interface AlertPage {
  items: Alert[];
  nextCursor: string | null;
}
export interface Alert {
  alertId: number;
  ruleId: string;
  ruleName: string;
  severity: "info" | "warning" | "critical";
  sensorId: string | null;
  firedAt: string;
  clearedAt: string | null;
  text: string;
  evidence: AlertEvidence;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  note: string | null;
}
export interface AcknowledgeRequest {
  note?: string | null;
}
/**
 * `over`: `ledger`, the forecasts as they were issued; `backtest`, what the models that serve now would have said,
 * computed where the models are (not on AWS)
 */
export interface RehearseRequest {
  rule: AlertRuleRequest;
  over?: "ledger" | "backtest";
  from?: string;
  to?: string;
}
/**
 * `true`: it fired and the value went beyond its limit within the rule's time; `false`: it did not; `missed`: it did
 * and nothing fired. `shift` moves the limits outwards
 */
export interface Rehearsal {
  over: "ledger" | "backtest";
  overText: string;
  from: string;
  to: string;
  fired: number;
  true: number;
  false: number;
  missed: number;
  warningSeconds: {
    median: number;
    least: number;
  } | null;
  open: number;
  blindSlots: number;
  slots: number;
  sensorIds: string[];
  selected: number;
  leftOutSlots: number;
  events: {
    sensorId: string;
    limits: {
      low: number | null;
      high: number | null;
    };
    result: "true" | "false" | "missed" | "open";
    firedAt: string | null;
    clearedAt: string | null;
    from: string | null;
    to: string | null;
    warningSeconds: number | null;
    forecast: {
      origin: string;
      targetAt: string[];
      q10: number[];
      q50: number[];
      q90: number[];
    } | null;
  }[];
  tradeOff: {
    chance: number;
    shift: number;
    fired: number;
    true: number;
    false: number;
    missed: number;
    warningSeconds: {
      median: number;
      least: number;
    } | null;
  }[];
}
export interface AlertChannelList {
  items: AlertChannel[];
}
export interface AlertChannel {
  channelId: string;
  name: string;
  isEnabled: boolean;
  settings:
    | {
        kind: "webhook";
        url: string;
      }
    | {
        kind: "slack";
      }
    | {
        kind: "teams";
      }
    | {
        kind: "email";
        to: string[];
      }
    | {
        kind: "sns";
        topicArn: string;
      }
    | {
        kind: "mqtt";
      }
    | {
        kind: "kafka";
        brokers: string[];
        topic: string;
        isEncrypted: boolean;
        sasl: {
          mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
          username: string;
        } | null;
      };
  hasSecret: boolean;
  createdAt: string;
  createdBy: string;
}
/**
 * `secret`: of a webhook the key that signs (16 characters at least), of Slack and Teams the whole URL, of Kafka the
 * password. It is stored encrypted and never shown again. `env:CHANNEL_SECRET_NAME` refers to a variable of who tells,
 * `ssm:` and `secretsmanager:` with a name to AWS
 */
export interface AlertChannelRequest {
  name: string;
  isEnabled?: boolean;
  settings:
    | {
        kind: "webhook";
        url: string;
      }
    | {
        kind: "slack";
      }
    | {
        kind: "teams";
      }
    | {
        kind: "email";
        to: string[];
      }
    | {
        kind: "sns";
        topicArn: string;
      }
    | {
        kind: "mqtt";
      }
    | {
        kind: "kafka";
        brokers: string[];
        topic: string;
        isEncrypted?: boolean;
        sasl: {
          mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
          username: string;
        } | null;
      };
  secret?: string;
}
export interface AlertDeliveryList {
  items: {
    key: string;
    notifications: number;
    attempt: number;
    at: string;
    elapsedMs: number;
    isOk: boolean;
    detail: string;
  }[];
}
export interface AlertTestAccepted {
  channelId: string;
  idempotencyKey: string;
  status: "queued";
}
export interface Ops {
  now: string;
  clockSpeed: number;
  isDemo: boolean;
  stepSeconds: number;
  horizon: number;
  leads: number[];
  source: {
    newestReadingAt: string | null;
    ageSeconds: number | null;
    readingsAhead: number | null;
    isStandby: boolean;
    isReceiving: boolean | null;
    lagBytes: number | null;
    error: string | null;
  };
  cycles: {
    slot: string;
    openedAt: string;
    fannedOutAt: string | null;
    sensors: number;
    shards: number;
    issued: number;
    baseline: number;
    refused: number;
    expired: number;
  }[];
  queue: {
    name: string;
    waiting: number;
    active: number;
    failed: number;
  }[];
  /**
   * Messages that failed at every delivery, those sent last first, 20 at most
   */
  deadLetters: {
    count: number;
    items: {
      id: string;
      queue: "forecast" | "score" | "train" | "notify";
      /**
       * The last fault; null where the process ended without an answer
       */
      reason: string | null;
      sentAt: string;
      /**
       * When it was given up; null where the queue does not say
       */
      deadAt: string | null;
      /**
       * The message as JSON, at most its first 2,000 characters
       */
      body: string;
    }[];
    /**
     * Why they are not known, where they are not
     */
    error: string | null;
  };
  database: {
    bytes: number;
    tables: {
      name: string;
      bytes: number;
      rows: number;
    }[];
  };
  storage: {
    bytesPerDay: number | null;
    freedPerDay: number;
    limitBytes: number | null;
    daysToLimit: number | null;
    tables: {
      table: string;
      keptDays: number;
      days: number;
      bytes: number;
      oldestDay: string;
      goesAt: string;
      goesBytes: number;
    }[];
    backup: {
      finishedAt: string;
      ageSeconds: number;
      bytes: number;
    } | null;
    archived: {
      days: number;
      bytes: number;
    };
  };
  sensors: number;
  codeVersion: string;
}
export interface Session {
  mode: "open" | "public-read" | "private";
  actor: {
    kind: "key" | "person" | "bootstrap" | "link" | "share" | "command" | "schedule" | "anonymous";
    name: string;
    scopes: ("read" | "forecast" | "train" | "promote" | "alerts" | "ops" | "admin")[];
  };
  hasIssuer: boolean;
}
/**
 * All that the one chart draws
 */
export interface SharedChart {
  sensorId: string;
  name: string | null;
  expiresAt: string;
  now: string;
  clockSpeed: number;
  stepSeconds: number;
  horizon: number;
  leads: number[];
  statusText: string;
  limits: {
    low: number | null;
    high: number | null;
  } | null;
  target: SensorTarget;
  readings: Readings;
}
export interface ShareRequest {
  target: string;
  expiresInSeconds?: number;
}
/**
 * Whoever has the token sees this one chart and nothing else. It is shown this once and stored nowhere
 */
export interface Share {
  sensorId: string;
  target: string;
  expiresAt: string;
  token: string;
  path: string;
}
export interface ApiKeyList {
  items: ApiKey[];
}
export interface ApiKey {
  keyId: string;
  name: string;
  scopes: ("read" | "forecast" | "train" | "promote" | "alerts" | "ops" | "admin")[];
  createdAt: string;
  createdBy: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  revokedAt: string | null;
}
export interface NewKeyRequest {
  name: string;
  scopes: ("read" | "forecast" | "train" | "promote" | "alerts" | "ops" | "admin")[];
  expiresAt?: string | null;
}
/**
 * The token is shown this once and stored nowhere
 */
export interface NewKey {
  key: ApiKey;
  token: string;
}
export interface AuditPage {
  items: AuditEntry[];
  nextCursor: string | null;
}
export interface AuditEntry {
  auditId: number;
  at: string;
  actorKind: "key" | "person" | "bootstrap" | "link" | "share" | "command" | "schedule" | "anonymous";
  actorId: string;
  actorName: string;
  action: string;
  object: string | null;
  address: string | null;
  requestId: string | null;
  result: string;
}
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  requestId?: string;
  have?: number;
  need?: number;
  errors?: {
    path: string;
    message: string;
  }[];
}
