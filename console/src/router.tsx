import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const BASE = "/__clawkit__";

export interface Place {
  /** Below the console's own: `/incidents/i-1`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

function placeNow(): Place {
  const { pathname, search } = window.location;
  return { path: pathname.slice(BASE.length) || "/", query: new URLSearchParams(search) };
}

export function usePlace(): Place {
  const [place, setPlace] = useState(placeNow);
  useEffect(() => {
    const windowOnPopstate = () => setPlace(placeNow());
    window.addEventListener("popstate", windowOnPopstate);
    return () => window.removeEventListener("popstate", windowOnPopstate);
  }, []);
  return place;
}

function navigate(to: string): void {
  window.history.pushState(null, "", BASE + to);
  window.dispatchEvent(new PopStateEvent("popstate"));
  window.scrollTo(0, 0);
}

/** Changes words of this page's query; an empty one goes. No new entry in the history: a filter is no place. */
export function changeQuery(changes: Record<string, string>): void {
  const before = Object.fromEntries(placeNow().query);
  const kept = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== "");
  const text = new URLSearchParams(kept).toString();
  window.history.replaceState(null, "", window.location.pathname + (text === "" ? "" : `?${text}`));
  window.dispatchEvent(new PopStateEvent("popstate"));
}

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly "aria-current"?: "page" | undefined;
  readonly children: ComponentChildren;
}

export function Link({ to, children, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={BASE + to}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
      }}
    >
      {children}
    </a>
  );
}
