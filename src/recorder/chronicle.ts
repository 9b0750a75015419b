import type { RecorderEvent } from "../core/records.ts";
import type { ExitVerdict, RunRecord } from "../core/run-record.ts";
import { Incidents } from "./incidents.ts";
import { RunSync } from "./run-sync.ts";
import type { IncidentRow, RecorderStore } from "./store.ts";

/** Connections of an edge that is gone, closed in one go. */
const MAX_ORPHANS = 100_000;

export type IncidentListener = (incident: IncidentRow, change: "opened" | "closed") => void;

/** Writes down what happens, in the order it is told. */
export class Chronicle {
  readonly #store: RecorderStore;
  readonly #incidents: Incidents;
  readonly #runs: RunSync;
  /** Which life of the gateway serves a connection: its end may belong to that life's outage. */
  readonly #generations = new Map<string, number>();

  constructor(store: RecorderStore, onIncident?: IncidentListener) {
    this.#store = store;
    this.#incidents = new Incidents(store, onIncident);
    this.#runs = new RunSync(store, this.#incidents);
  }

  /** Lives that began before `oldest` are not taken over anew: the store has forgotten them. */
  takeRuns(records: readonly RunRecord[], oldest: number): void {
    this.#runs.take(records, oldest);
  }

  /** No process of ours lives in this boot of the machine: lives without an end ended unseen. */
  nobodyLives(bootId: string): void {
    this.#runs.nobodyLives(bootId);
  }

  /** Connections without an end that are not of this edge went with theirs. */
  closeOrphans(edgeId: string | undefined, now: number): void {
    const last = this.#runs.lastEnded("edge");
    const [incident] = this.#store
      .incidents({}, 20)
      .filter(({ role }) => role === "edge" || role === "supervisor");
    for (const row of this.#store.connections({ state: "live" }, MAX_ORPHANS)) {
      if (edgeId !== undefined && row.id.startsWith(`${edgeId}-`)) continue;
      // an end before the connection began is that of another edge
      const edge = last !== undefined && last.endedAt! >= row.openedAt ? last : undefined;
      const at = edge?.endedAt ?? now;
      const reason = `edge ended: ${edge?.exit?.summary ?? "reason unknown"}`;
      this.#store.closeConnection(
        row.id,
        {
          at,
          by: "edge",
          code: null,
          reason,
          phase: row.generation === null ? "handshake" : "open",
          cause: "edge-ended",
          bytesIn: 0,
          bytesOut: 0,
          framesIn: 0,
          framesOut: 0,
          lastActivityAt: at,
          rttMs: null,
        },
        incident !== undefined && Math.abs(incident.openedAt - at) < 60_000 ? incident.id : null,
      );
    }
  }

  take(event: RecorderEvent): void {
    switch (event.type) {
      case "connection-opened":
        return this.#store.openConnection({ ...event, openedAt: event.at });
      case "connection-served":
        this.#generations.set(event.id, event.generation);
        return this.#store.serveConnection(event.id, event.generation);
      case "connection-identified":
        return this.#store.identifyConnection(event.id, event.client);
      case "connection-closed": {
        // unknown if it was served before this chronicle was begun
        const served = this.#generations.get(event.id) ?? this.#store.connection(event.id)?.generation;
        const generation = served ?? null;
        this.#generations.delete(event.id);
        const incident = this.#incidents.connectionClosed(event.id, event.end, generation);
        return this.#store.closeConnection(event.id, event.end, incident);
      }
      case "gateway-state":
        if (event.state === "ready") this.#incidents.ready("gateway", event.at);
        return;
      case "gateway-silent":
        return this.#incidents.silent(event.generation, event.at, silence(event.why, event.isSupervised));
      case "sample":
        this.#incidents.tick(event.sample.at);
        return this.#store.addSample(event.sample);
      case "note":
        return this.#store.addNote(event.note);
      case "runs-changed":
        return; // whoever reads the run log hands its records on
    }
  }
}

function silence(why: string, isSupervised: boolean): ExitVerdict {
  return {
    cause: isSupervised ? "wedged-process" : "gateway-unreachable",
    kind: null,
    verdict: "likely",
    summary: isSupervised ? `it lives and does not answer: ${why}` : `it does not answer: ${why}`,
    evidence: [`edge: ${why}`],
    unknown: [isSupervised ? "what it is doing" : "why: it runs where nobody of ours looks"],
  };
}
