import { useEffect, useErrorBoundary, useRef } from "preact/hooks";
import { AccessContext, useAccessSource } from "./access/session.ts";
import { SignInPage } from "./access/sign-in.tsx";
import { AlertsPage } from "./alerts/page.tsx";
import { ComparePage } from "./compare/page.tsx";
import { EmbedPage } from "./embed/page.tsx";
import { FleetPage } from "./fleet/page.tsx";
import { OperationsPage } from "./operations/page.tsx";
import { ModelPage } from "./registry/model-page.tsx";
import { ModelsPage } from "./registry/page.tsx";
import { SensorPage } from "./sensor/page.tsx";
import { Header } from "./shell/header.tsx";
import { PreferencesContext, usePreferencesSource } from "./shell/preferences.ts";
import { PulseContext, usePulseSource } from "./shell/pulse.ts";
import { type Route, unescapeDots, useRoute } from "./shell/route.ts";
import { SourceNotices } from "./shell/source-notices.tsx";
import { Failed } from "./shell/states.tsx";

/** The page that a path names. */
function pageOf(
  path: string,
):
  | { name: "fleet" | "alerts" | "compare" | "models" | "operations" | "sign-in" | "none" }
  | { name: "sensor" | "model"; id: string } {
  const [, room, segment] = /^\/(sensors|models)\/([^/]+)\/?$/.exec(path) ?? [];
  if (segment !== undefined) {
    try {
      return { name: room === "sensors" ? "sensor" : "model", id: unescapeDots(decodeURIComponent(segment)) };
    } catch {
      return { name: "none" };
    }
  }
  if (/^\/alerts(\/|$)/.test(path)) return { name: "alerts" };
  if (/^\/compare\/?$/.test(path)) return { name: "compare" };
  if (/^\/models\/?$/.test(path)) return { name: "models" };
  if (/^\/operations\/?$/.test(path)) return { name: "operations" };
  if (/^\/sign-in\/?$/.test(path)) return { name: "sign-in" };
  return { name: path === "/" || path === "/index.html" || path === "/sensors" ? "fleet" : "none" };
}

const titles = {
  fleet: "Fleet",
  alerts: "Alerts",
  compare: "Compare",
  models: "Models",
  operations: "Operations",
  "sign-in": "Sign in",
  none: "Fleet",
};

export function App() {
  const preferences = usePreferencesSource();
  const route = useRoute();
  const isEmbedded = /^\/embed\/?$/.test(route.path);
  return (
    <PreferencesContext.Provider value={preferences}>
      {isEmbedded ? <EmbedPage /> : <Dashboard route={route} />}
    </PreferencesContext.Provider>
  );
}

function Dashboard({ route }: { route: Route }) {
  const access = useAccessSource();
  const pulse = usePulseSource();
  const page = pageOf(route.path);
  const title = "id" in page ? page.id : titles[page.name];
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${title} · IoT LSTM Predictor`;
    // A new page is announced by moving focus to it, not on the first load.
    if (!isFirst.current) main.current?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [route.path]);

  return (
    <AccessContext.Provider value={access}>
      <PulseContext.Provider value={pulse}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <Header page={page.name === "model" ? "models" : page.name === "compare" ? "fleet" : page.name} />
        <main id="main" ref={main} tabIndex={-1} aria-label={title}>
          {page.name !== "sign-in" && <SourceNotices />}
          <PageView key={route.path} page={page} {...route} />
        </main>
      </PulseContext.Provider>
    </AccessContext.Provider>
  );
}

/** A page that cannot be drawn says so; the header and the other pages go on working. */
function PageView({ page, path, query }: { page: ReturnType<typeof pageOf> } & Route) {
  const [crash, forget] = useErrorBoundary();
  if (crash !== undefined) {
    const detail = crash instanceof Error ? crash.message : String(crash);
    return <Failed failure={{ kind: "problem", title: "This page could not be drawn", detail }} onRetry={forget} />;
  }
  if (page.name === "fleet") return <FleetPage query={query} />;
  if (page.name === "alerts") return <AlertsPage path={path} query={query} />;
  if (page.name === "models") return <ModelsPage query={query} />;
  if (page.name === "operations") return <OperationsPage />;
  if (page.name === "sign-in") return <SignInPage query={query} />;
  if (page.name === "model") return <ModelPage modelId={page.id} />;
  if (page.name === "compare") return <ComparePage query={query} />;
  if (page.name === "sensor") return <SensorPage sensorId={page.id} query={query} />;
  return (
    <div class="state">
      <h1>There is no such page</h1>
      <p>
        <a href="/" data-route>
          Go to the fleet
        </a>
      </p>
    </div>
  );
}
