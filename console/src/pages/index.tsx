import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { Failure } from "../parts/failure.tsx";
import { usePlace } from "../router.tsx";
import { ConnectionPage } from "./connection.tsx";
import { ConnectionsPage } from "./connections.tsx";
import { DoctorPage } from "./doctor.tsx";
import { ExplainPage } from "./explain.tsx";
import { HardeningPage } from "./hardening.tsx";
import { IncidentPage } from "./incident.tsx";
import { IncidentsPage } from "./incidents.tsx";
import { LogsPage } from "./logs.tsx";
import { NotFoundPage } from "./not-found.tsx";
import { OverviewPage } from "./overview.tsx";
import { PlaybookPage } from "./playbook.tsx";
import { PlaybooksPage } from "./playbooks.tsx";

export function Page() {
  const { path } = usePlace();
  useContentFocus(path);
  return (
    <Guarded key={path}>
      <PageOf path={path} />
    </Guarded>
  );
}

/** A page that fails leaves the others. */
function Guarded({ children }: { readonly children: ComponentChildren }) {
  const [error] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  return (
    <>
      <h1>This page cannot be shown</h1>
      <Failure error={error as Error} onRetry={() => window.location.reload()} />
    </>
  );
}

function PageOf({ path }: { readonly path: string }) {
  const [first = "", id] = path.slice(1).split("/");
  switch (first) {
    case "":
      return <OverviewPage />;
    case "connections":
      return id === undefined ? <ConnectionsPage /> : <ConnectionPage key={id} id={id} />;
    case "incidents":
      return id === undefined ? <IncidentsPage /> : <IncidentPage key={id} id={id} />;
    case "doctor":
      return <DoctorPage />;
    case "explain":
      return <ExplainPage />;
    case "playbooks":
      return id === undefined ? <PlaybooksPage /> : <PlaybookPage key={id} code={id} />;
    case "hardening":
      return <HardeningPage />;
    case "logs":
      return <LogsPage />;
    default:
      return <NotFoundPage />;
  }
}

let isFirst = true;

/** A screen reader hears that the page is another one: the content takes the focus, as after a full load. */
function useContentFocus(path: string): void {
  useEffect(() => {
    if (!isFirst) document.getElementById("content")?.focus({ preventScroll: true });
    isFirst = false;
  }, [path]);
}
