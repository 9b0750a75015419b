import type { Config } from "../config/schema.ts";
import type { IncidentNews } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { type Alert, sendAlert, type Webhook } from "./alert-sender.ts";

/** Pauses before a message is sent again: a receiver that restarts, a network that comes back, an outage of minutes. */
const RETRY_MS = [1_000, 5_000, 30_000, 120_000, 600_000];

/** Messages to one receiver within the window; a gateway that crashes all night is not a page a minute. */
const MAX_IN_WINDOW = 20;
const WINDOW_MS = 10 * 60_000;

const HEARTBEAT_MS = 60_000;

/** What is on its way when the supervisor ends gets this long. */
const STOP_MS = 2_000;

export interface AlertsDeps {
  readonly config: () => Config["alerts"];
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Tells the outside world when an incident begins and when it is over. Lives in the supervisor, so that it also
 * tells of the end of the edge; those incidents it tells itself, all others come from the edge's flight recorder.
 */
export class Alerts {
  readonly #deps: AlertsDeps;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #sentAt = new Map<string, number[]>();
  readonly #heldBack = new Map<string, number>();
  /** The message before: what is sent to one receiver is sent in order. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #underWay = new Map<Promise<void>, string>();
  #lostEdge: IncidentNews | undefined;

  constructor(deps: AlertsDeps) {
    this.#deps = deps;
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    void this.#beat();
  }

  incident(change: "opened" | "closed", incident: IncidentNews): void {
    if (incident.role !== "edge") this.#tell(change, incident);
  }

  edgeLost(reason: string, generation: number): void {
    if (this.#lostEdge !== undefined) return;
    this.#lostEdge = {
      id: `edge-${generation}`,
      role: "edge",
      cause: "edge-ended",
      verdict: "confirmed",
      summary: reason,
      openedAt: new Date(this.#deps.clock.wall()).toISOString(),
      closedAt: null,
      clients: 0,
    };
    this.#tell("opened", this.#lostEdge);
  }

  edgeBack(): void {
    if (this.#lostEdge === undefined) return;
    const closedAt = new Date(this.#deps.clock.wall()).toISOString();
    this.#tell("closed", { ...this.#lostEdge, closedAt });
    this.#lostEdge = undefined;
  }

  /** Gives what is on its way a moment, and ends. */
  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    const timer = setTimeout(() => this.#stop.abort(), STOP_MS);
    await Promise.all(this.#underWay.keys());
    clearTimeout(timer);
  }

  #tell(change: "opened" | "closed", incident: IncidentNews): void {
    for (const webhook of this.#deps.config().webhooks) {
      const alert = this.#admitted(webhook, alertOf(change, incident));
      if (alert === undefined) continue;
      // one after the other: an end that arrives before its beginning reads like a new outage
      const sending = (this.#last.get(webhook.url) ?? Promise.resolve()).then(() =>
        this.#deliver(webhook, alert),
      );
      this.#last.set(webhook.url, sending);
      this.#underWay.set(sending, webhook.url);
      void sending.finally(() => this.#underWay.delete(sending));
    }
  }

  async #deliver(webhook: Webhook, alert: Alert): Promise<void> {
    const { signal } = this.#stop;
    const host = URL.canParse(webhook.url) ? new URL(webhook.url).host : "a webhook";
    if (signal.aborted) return;
    for (const pause of [...RETRY_MS, undefined]) {
      const delivery = await sendAlert(webhook, alert, { fetch: this.#deps.fetch, signal });
      if (delivery.kind === "delivered") return;
      const isLast = delivery.isFinal || pause === undefined || signal.aborted;
      const next = isLast ? "given up" : `trying again in ${pause / 1000} s`;
      this.#deps.log(`alert to ${host} failed: ${delivery.reason}; ${next}`);
      if (isLast) return;
      await this.#pause(pause);
      if (signal.aborted) return;
    }
  }

  /** The alert, if its receiver has room for it, with a word of those that found none. */
  #admitted({ url }: Webhook, alert: Alert): Alert | undefined {
    const now = this.#deps.clock.now();
    const sent = (this.#sentAt.get(url) ?? []).filter((at) => now - at < WINDOW_MS);
    this.#sentAt.set(url, sent);
    const heldBack = this.#heldBack.get(url) ?? 0;
    const waiting = [...this.#underWay.values()].filter((other) => other === url).length;
    if (sent.length < MAX_IN_WINDOW && waiting < MAX_IN_WINDOW) {
      sent.push(now);
      this.#heldBack.delete(url);
      if (heldBack === 0) return alert;
      return { ...alert, text: `${alert.text}\n(${heldBack} further messages were held back)` };
    }
    this.#heldBack.set(url, heldBack + 1);
    if (heldBack === 0) {
      this.#deps.log(`alerts are held back: ${MAX_IN_WINDOW} within ${WINDOW_MS / 60_000} minutes`);
    }
    return undefined;
  }

  async #beat(): Promise<void> {
    const { url } = this.#deps.config().heartbeat;
    if (url === undefined) return;
    try {
      const response = await this.#deps.fetch(url, { signal: AbortSignal.timeout(HEARTBEAT_MS / 2) });
      await response.body?.cancel();
      if (!response.ok) this.#deps.log(`the heartbeat's receiver answered HTTP ${response.status}`);
    } catch {
      this.#deps.log("the heartbeat could not be sent"); // the error may hold its URL, which is a secret
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }
}

function alertOf(change: "opened" | "closed", incident: IncidentNews): Alert {
  const { role, summary, openedAt, closedAt, clients, cause, id } = incident;
  // the edge's end has an id of the recorder's only once the next edge lives
  const ask = role === "edge" ? "clawkit why" : `clawkit why ${id}`;
  const what = role === "clients" ? "Clients are disconnected" : `The ${role} is down`;
  if (change === "opened") {
    const text = `${summary} (${cause}), since ${openedAt}. Ask: ${ask}`;
    return { event: "incident-opened", title: what, text, incident };
  }
  const lasted = Math.max(0, Date.parse(closedAt ?? openedAt) - Date.parse(openedAt));
  const over = role === "clients" ? "Clients are no longer disconnected" : `The ${role} is back`;
  const text = `${summary} (${cause}). It lasted ${(lasted / 1000).toFixed(1)} s; ${clients} connections were affected. Ask: ${ask}`;
  return { event: "incident-closed", title: over, text, incident };
}
