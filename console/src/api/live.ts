import { useEffect, useState } from "preact/hooks";
import type { IncidentSummary, StreamEvents } from "../../../src/control/contract.ts";
import { API, openSession } from "./client.ts";

export type Tick = StreamEvents["tick"];

/** A gateway that restarts its console is back within a second or two. */
const RETRY_MS = 2_000;

interface Live {
  /** The newest one; it stays when the server goes away. */
  readonly tick: Tick | undefined;
  readonly isConnected: boolean;
}

let live: Live = { tick: undefined, isConnected: true };
const listeners = new Set<(live: Live) => void>();
const incidentListeners = new Set<(incident: IncidentSummary) => void>();

/** Keeps one stream of events for all pages. Returns what ends it. */
export function watch(): () => void {
  let source: EventSource | undefined;
  let timer: number | undefined;
  const open = () => {
    source = new EventSource(`${API}/events`);
    source.addEventListener("tick", ({ data }) => {
      set({ tick: JSON.parse(data as string) as Tick, isConnected: true });
    });
    source.addEventListener("incident", ({ data }) => {
      const incident = JSON.parse(data as string) as IncidentSummary;
      for (const listener of incidentListeners) listener(incident);
    });
    source.addEventListener("error", () => {
      set({ ...live, isConnected: false });
      source?.close(); // its own retries end at the first answer that is no stream
      timer = window.setTimeout(reopen, RETRY_MS);
    });
  };
  const reopen = () => {
    // a server that was started anew does not know the session: asking says so
    openSession().then(open, () => {
      timer = window.setTimeout(reopen, RETRY_MS);
    });
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source?.close();
  };
}

function set(next: Live): void {
  live = next;
  for (const listener of listeners) listener(live);
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

/** Calls back for each incident that is new or has changed. */
export function useIncidentNews(listener: (incident: IncidentSummary) => void): void {
  useEffect(() => {
    incidentListeners.add(listener);
    return () => void incidentListeners.delete(listener);
  }, [listener]);
}
