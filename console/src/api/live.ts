import { useEffect, useState } from "preact/hooks";
import type { IncidentSummary, StreamEvents } from "../../../src/control/contract.ts";
import { openSession } from "./client.ts";
import { follow } from "./stream.ts";

export type Tick = StreamEvents["tick"];

/** Ticks come every 2 s: a server that is silent for so long does not know how it is. */
const SILENCE_MS = 15_000;

/** The server ends after ten minutes in which nobody asks, and every session with it. */
const TOUCH_MS = 4 * 60_000;

interface Live {
  /** The newest one; it stays when the server goes away. */
  readonly tick: Tick | undefined;
  readonly isConnected: boolean;
}

let live: Live = { tick: undefined, isConnected: true };
const listeners = new Set<(live: Live) => void>();

/** Told of an incident that is new or has changed; of undefined if there may be any, as nobody listened for a while. */
type NewsListener = (incident: IncidentSummary | undefined) => void;
const newsListeners = new Set<NewsListener>();

/** Keeps one stream of events for all pages. Returns what ends it. */
export function watch(): () => void {
  let silence: number | undefined;
  let isFirst = true;
  const end = follow("/events", {
    on: {
      tick: (tick: Tick) => {
        window.clearTimeout(silence);
        silence = window.setTimeout(away, SILENCE_MS);
        set({ tick, isConnected: true });
      },
      incident: tell,
    },
    onOpen: () => {
      if (!isFirst) tell(undefined);
      isFirst = false;
    },
    onAway: away,
  });
  const touch = window.setInterval(() => {
    if (document.visibilityState === "hidden") void openSession().catch(() => undefined); // said once it is seen
  }, TOUCH_MS);
  return () => {
    window.clearTimeout(silence);
    window.clearInterval(touch);
    end();
  };
}

function away(): void {
  if (document.visibilityState === "visible") set({ ...live, isConnected: false });
}

function set(next: Live): void {
  live = next;
  for (const listener of listeners) listener(live);
}

function tell(incident: IncidentSummary | undefined): void {
  for (const listener of newsListeners) listener(incident);
}

export function useLive(): Live {
  const [now, setNow] = useState(live);
  useEffect(() => {
    listeners.add(setNow);
    setNow(live);
    return () => void listeners.delete(setNow);
  }, []);
  return now;
}

/** Reloads for each incident, or for the one with this id, that is new or has changed. */
export function useIncidentNews(reload: () => void, id?: string): void {
  useEffect(() => {
    const listener: NewsListener = (incident) => {
      if (id === undefined || incident === undefined || incident.id === id) reload();
    };
    newsListeners.add(listener);
    return () => void newsListeners.delete(listener);
  }, [reload, id]);
}
