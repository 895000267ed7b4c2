import { type Alert, getAlerts, getRules, type Rule } from "../api/alerts.ts";
import { useLive } from "../shell/live.ts";
import { Empty, Failed, Skeleton } from "../shell/states.tsx";
import { Firing, History } from "./alert-list.tsx";
import { ChannelsPage } from "./channels-page.tsx";
import { RuleList } from "./rule-list.tsx";
import { RulePage } from "./rule-page.tsx";

/** The pages under /alerts. */
export function AlertsPage({ path, query }: { path: string; query: URLSearchParams }) {
  const ruleId = /^\/alerts\/rules\/([^/]+)\/?$/.exec(path)?.[1];
  if (ruleId !== undefined) return <RulePage ruleId={decodeURIComponent(ruleId)} query={query} />;
  if (/^\/alerts\/new\/?$/.test(path)) return <RulePage ruleId={null} query={query} />;
  if (/^\/alerts\/channels\/?$/.test(path)) return <ChannelsPage />;
  return <OverviewPage />;
}

/** What fires and since when, the rules with how they stand, and what fired. */
function OverviewPage() {
  const alerts = useLive("alerts", getAlerts);
  const rules = useLive("alert-rules", getRules);
  const failure = alerts.failure ?? rules.failure;
  const again = () => {
    alerts.retry();
    rules.retry();
  };
  return (
    <div class="page">
      <div class="title">
        <h1>Alerts</h1>
        <span class="muted">Chances are checked against what came; what cannot be seen reads blind, never ok.</span>
        <a class="button push-right" href="/alerts/channels" data-route>
          Channels
        </a>
        <a class="button" href="/alerts/new" data-route>
          New rule
        </a>
      </div>
      {alerts.data === null || rules.data === null ? (
        failure === null ? (
          <Skeleton height={480} label="Loading the alerts" />
        ) : (
          <Failed failure={failure} onRetry={again} />
        )
      ) : (
        <Loaded alerts={alerts.data.items} rules={rules.data.items} onChange={again} />
      )}
    </div>
  );
}

function Loaded({ alerts, rules, onChange }: { alerts: Alert[]; rules: Rule[]; onChange: () => void }) {
  const firing = alerts.filter(({ clearedAt }) => clearedAt === null);
  return (
    <>
      <h2>Firing now</h2>
      {firing.length === 0 ? <p class="muted">Nothing fires.</p> : <Firing alerts={firing} onChange={onChange} />}
      <h2>Rules</h2>
      {rules.length === 0 ? (
        <Empty title="No rules yet">Make one: its rehearsal shows what it would have done.</Empty>
      ) : (
        <RuleList rules={rules} />
      )}
      <h2>History</h2>
      <History alerts={alerts.filter(({ clearedAt }) => clearedAt !== null)} />
    </>
  );
}
