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
  readonly #suppressed = new Map<string, number>();
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
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
    await Promise.all(this.#underWay);
    clearTimeout(timer);
  }

  #tell(change: "opened" | "closed", incident: IncidentNews): void {
    const alert = alertOf(change, incident);
    for (const webhook of this.#deps.config().webhooks) {
      const sending = this.#deliver(webhook, alert);
      this.#underWay.add(sending);
      void sending.finally(() => this.#underWay.delete(sending));
    }
  }

  async #deliver(webhook: Webhook, alert: Alert): Promise<void> {
    if (!this.#mayRing(webhook)) return;
    const host = new URL(webhook.url).host;
    for (const pause of [...RETRY_MS, undefined]) {
      const delivery = await sendAlert(webhook, this.#withSuppressed(webhook, alert), this.#deps.fetch);
      if (delivery.kind === "delivered") {
        this.#suppressed.delete(webhook.url);
        return;
      }
      const isLast = delivery.isFinal || pause === undefined || this.#stop.signal.aborted;
      const next = isLast ? "given up" : `trying again in ${pause / 1000} s`;
      this.#deps.log(`alert to ${host} failed: ${delivery.reason}; ${next}`);
      if (isLast) return;
      await this.#pause(pause);
      if (this.#stop.signal.aborted) return;
    }
  }

  #mayRing({ url }: Webhook): boolean {
    const now = this.#deps.clock.now();
    const sent = (this.#sentAt.get(url) ?? []).filter((at) => now - at < WINDOW_MS);
    this.#sentAt.set(url, sent);
    if (sent.length < MAX_IN_WINDOW) {
      sent.push(now);
      return true;
    }
    const suppressed = (this.#suppressed.get(url) ?? 0) + 1;
    this.#suppressed.set(url, suppressed);
    if (suppressed === 1) {
      this.#deps.log(`alerts are held back: ${MAX_IN_WINDOW} within ${WINDOW_MS / 60_000} minutes`);
    }
    return false;
  }

  #withSuppressed({ url }: Webhook, alert: Alert): Alert {
    const count = this.#suppressed.get(url);
    if (count === undefined) return alert;
    return { ...alert, text: `${alert.text}\n(${count} further messages were held back)` };
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
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#stop.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

function alertOf(change: "opened" | "closed", incident: IncidentNews): Alert {
  const { role, summary, openedAt, closedAt, clients, cause, id } = incident;
  const what = role === "clients" ? "Clients are disconnected" : `The ${role} is down`;
  if (change === "opened") {
    const text = `${summary} (${cause}), since ${openedAt}. Ask: clawkit why ${id}`;
    return { event: "incident-opened", title: what, text, incident };
  }
  const lasted = Math.max(0, Date.parse(closedAt ?? openedAt) - Date.parse(openedAt));
  const over = role === "clients" ? "Clients are no longer disconnected" : `The ${role} is back`;
  const text = `${summary} (${cause}). It lasted ${(lasted / 1000).toFixed(1)} s; ${clients} connections were affected. Ask: clawkit why ${id}`;
  return { event: "incident-closed", title: over, text, incident };
}
