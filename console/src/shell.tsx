import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { closeSession } from "./api/client.ts";
import { useLive } from "./api/live.ts";
import { Notice } from "./parts/notice.tsx";
import { StatePill } from "./parts/state-pill.tsx";
import { Link, usePlace } from "./router.tsx";
import { useSession } from "./session.ts";
import { savedTheme, saveTheme, THEMES, type Theme } from "./theme.ts";

const PAGES = [
  ["/", "Overview"],
  ["/connections", "Connections"],
  ["/incidents", "Incidents"],
  ["/doctor", "Doctor"],
  ["/explain", "Explain"],
  ["/playbooks", "Playbooks"],
  ["/hardening", "Hardening"],
  ["/logs", "Logs"],
] as const;

export function Shell({ children }: { readonly children: ComponentChildren }) {
  return (
    <div class="shell">
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header />
      <Navigation />
      <main id="content" class="content" tabIndex={-1}>
        <Whereabouts />
        {children}
      </main>
    </div>
  );
}

function Header() {
  const { tick, isConnected } = useLive();
  const { version } = useSession();
  return (
    <header class="header">
      <Link to="/" class="brand">
        <img src="/__clawkit__/logo.svg" alt="ClawKit Logo" width="28" height="28" />
        <span class="brand-name">ClawKit</span>
        <span class="brand-what">Reliability Toolkit</span>
      </Link>
      <StatePill tick={tick} isConnected={isConnected} />
      <span class="header-version" title="The version of ClawKit that serves this page">
        {version}
      </span>
      <ThemeChoice />
      <button
        type="button"
        class="quiet"
        onClick={() =>
          // a server that is away is said elsewhere, and would leave an empty page
          void closeSession().then(
            () => window.location.reload(),
            () => undefined,
          )
        }
      >
        Sign out
      </button>
    </header>
  );
}

function ThemeChoice() {
  const [theme, setTheme] = useState<Theme>(savedTheme);
  return (
    <label class="theme">
      <span class="for-readers">Colours</span>
      <select
        value={theme}
        onChange={({ currentTarget }) => {
          const chosen = currentTarget.value as Theme;
          saveTheme(chosen);
          setTheme(chosen);
        }}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {one[0]!.toUpperCase() + one.slice(1)}
          </option>
        ))}
      </select>
    </label>
  );
}

function Navigation() {
  const { path } = usePlace();
  const current = PAGES.findLast(
    ([start]) => path === start || (start !== "/" && path.startsWith(`${start}/`)),
  );
  const list = useRef<HTMLElement>(null);
  useEffect(() => {
    // on a narrow screen the list scrolls
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    document.title = current === undefined ? "ClawKit" : `${current[1]} · ClawKit`;
  }, [current]);
  return (
    <nav ref={list} class="navigation" aria-label="Pages">
      {PAGES.map(([to, name]) => (
        <Link key={to} to={to} aria-current={current?.[0] === to ? "page" : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}

/** What a person should know of the server that this page talks to, before they trust what it shows. */
function Whereabouts() {
  const { tick, isConnected } = useLive();
  const { mode } = useSession();
  if (!isConnected) {
    return (
      <div class="away">
        <Notice kind="bad" isLive>
          The console's server does not answer; this page keeps what it had and tries again. If it stays away,
          type <code>clawkit console</code>: it serves the same pages by itself.
        </Notice>
      </div>
    );
  }
  if (mode !== "alone") return null;
  const edge = tick?.edgeConsole;
  return (
    <Notice kind="info" isLive>
      {edge == null ? (
        <>
          No edge is running, so <code>clawkit console</code> serves these pages by itself.
        </>
      ) : (
        <>
          The edge is up: its console is at <a href={edge}>{edge}</a>. Type <code>clawkit console</code> again
          to be signed in there.
        </>
      )}
    </Notice>
  );
}
