import { type CauseId, causes } from "../core/causes.ts";
import type { ConnectionEnd } from "../core/records.ts";
import type { ExitVerdict, Role } from "../core/run-record.ts";
import type { IncidentRow, RecorderStore, RunRow } from "./store.ts";

/** Ends that say nothing about trouble. */
const NORMAL: ReadonlySet<CauseId> = new Set([
  "client-closed",
  "client-went-away",
  "client-gave-up",
  "planned-restart",
  "gateway-announced-restart",
  "edge-ended",
  "gateway-ended",
  "closed-by-operator",
]);

/** So many like disconnects within this time are one incident; a handful of vanishing laptops is everyday life. */
const BURST_COUNT = 5;
const BURST_WINDOW_MS = 10_000;
const BURST_QUIET_MS = 30_000;

/** A client may hear of its gateway's end when the next one is ready already. */
const LATE_MS = 60_000;

/** Clients may be heard before the end itself is. */
const HEARD_BEFORE_MS = 5_000;

interface Recent {
  readonly id: string;
  readonly at: number;
}

/** Makes incidents of what happened: one for an outage, however many ends it has, and one for a burst. */
export class Incidents {
  readonly #store: RecorderStore;
  readonly #onChange: (incident: IncidentRow, change: "opened" | "closed") => void;
  readonly #open = new Map<string, IncidentRow>();
  readonly #recent = new Map<CauseId, Recent[]>();
  readonly #lastOfBurst = new Map<CauseId, number>();

  constructor(
    store: RecorderStore,
    onChange: (incident: IncidentRow, change: "opened" | "closed") => void = () => undefined,
  ) {
    this.#store = store;
    this.#onChange = onChange;
    for (const incident of store.incidents({ openOnly: true }, 100)) {
      this.#open.set(keyOf(incident), incident);
      if (incident.kind === "burst") this.#lastOfBurst.set(incident.cause, incident.openedAt);
    }
  }

  /** A process ended and nobody of ours had asked for it. */
  processEnded(run: RunRow, noticedBy: IncidentRow["noticedBy"]): void {
    const at = run.endedAt!;
    const open = this.#outageOf(run.role, run.generation, at);
    if (open === undefined) {
      this.#begin({
        role: run.role,
        at,
        generation: run.generation,
        exit: run.exit,
        noticedBy,
        ends: 1,
        crash: run.crash,
      });
      return;
    }
    // the first cause is the story, unless it was only that nobody knew, or that it hung
    const isFirst = open.ends === 0 || open.generation === run.generation;
    const wasHeardFromClients = open.cause === "ended-without-record" && open.ends === 0;
    this.#change(open, {
      ends: open.ends + 1,
      ...(wasHeardFromClients ? { noticedBy } : {}),
      ...(isFirst ? explanation(run.exit, run.crash) : {}),
    });
  }

  /** The evidence of an end was looked at. */
  explained(run: RunRow): void {
    const incident = this.#outageOf(run.role, run.generation, run.endedAt ?? 0);
    if (incident?.generation !== run.generation) return;
    this.#change(incident, explanation(run.exit, run.crash));
  }

  /** The gateway lives and does not answer, or, if it is not supervised, cannot be reached. */
  silent(generation: number, at: number, exit: ExitVerdict): void {
    if (this.#open.has("gateway")) return;
    this.#begin({ role: "gateway", at, generation, exit, noticedBy: "edge", ends: 0, crash: null });
  }

  /** A process serves again. A ready gateway also ends what began with its supervisor. */
  ready(role: Role, at: number): void {
    for (const incident of [...this.#open.values()]) {
      const ends = incident.role === role || (role === "gateway" && incident.role === "supervisor");
      if (incident.kind === "outage" && ends && at >= incident.openedAt) this.#end(incident, at);
    }
  }

  /** Says which incident the end of a connection belongs to. */
  connectionClosed(id: string, end: ConnectionEnd, generation: number | null): string | null {
    if (end.cause === "gateway-ended") return this.#outageOfClient(generation, end).id;
    const outage = this.#open.get("gateway") ?? this.#open.get("supervisor");
    if (end.phase === "handshake" && outage !== undefined) return outage.id;
    return NORMAL.has(end.cause) ? null : this.#countTowardsBurst(id, end);
  }

  /** Ends bursts that are over. */
  tick(now: number): void {
    for (const [cause, last] of this.#lastOfBurst) {
      const incident = this.#open.get(`burst ${cause}`);
      if (incident !== undefined && now - last > BURST_QUIET_MS) {
        this.#lastOfBurst.delete(cause);
        this.#end(incident, last);
      }
    }
  }

  #countTowardsBurst(id: string, end: ConnectionEnd): string | null {
    const { cause, at } = end;
    const open = this.#open.get(`burst ${cause}`);
    if (open !== undefined) {
      this.#lastOfBurst.set(cause, at);
      return open.id;
    }
    const recent = (this.#recent.get(cause) ?? []).filter((one) => at - one.at < BURST_WINDOW_MS);
    recent.push({ id, at });
    this.#recent.set(cause, recent);
    if (recent.length < BURST_COUNT) return null;
    this.#recent.delete(cause);
    this.#lastOfBurst.set(cause, at);
    const burst = this.#save(
      {
        id: incidentId(recent[0]!.at, `b${cause}`),
        kind: "burst",
        role: "clients",
        openedAt: recent[0]!.at,
        closedAt: null,
        cause,
        verdict: "confirmed",
        summary: `${recent.length} connections ended alike within ${BURST_WINDOW_MS / 1000} s: ${causes[cause]}`,
        noticedBy: "recorder",
        evidence: [`${recent.length} connections with cause ${cause} within ${BURST_WINDOW_MS / 1000} s`],
        unknown: [],
        generation: null,
        ends: 0,
        crash: null,
      },
      "opened",
    );
    this.#store.linkConnections(
      recent.map((one) => one.id),
      burst.id,
    );
    return burst.id;
  }

  /** Its client may be heard before its run log is. */
  #outageOfClient(generation: number | null, end: ConnectionEnd): IncidentRow {
    const known = this.#open.get("gateway") ?? this.#closedOutages("gateway", generation, end.at)[0];
    if (known !== undefined) return known;
    const exit: ExitVerdict = {
      cause: "ended-without-record",
      kind: null,
      verdict: "possible",
      summary: end.reason,
      evidence: [],
      unknown: ["why it ended: its supervisor has not said so yet"],
    };
    return this.#begin({
      role: "gateway",
      at: end.at,
      generation,
      exit,
      noticedBy: "edge",
      ends: 0,
      crash: null,
    });
  }

  /** The outage that is under way, or one that is over and had this end of this life in it. */
  #outageOf(role: Role, generation: number, endedAt: number): IncidentRow | undefined {
    return (
      this.#open.get(role) ??
      this.#closedOutages(role, generation, endedAt).find(
        ({ openedAt, closedAt }) => endedAt >= openedAt - HEARD_BEFORE_MS && endedAt < closedAt!,
      )
    );
  }

  #closedOutages(role: Role, generation: number | null, at: number): IncidentRow[] {
    return this.#store
      .incidents({}, 20)
      .filter((one) => one.kind === "outage" && one.role === role && one.generation === generation)
      .filter(({ closedAt }) => closedAt !== null && closedAt >= at - LATE_MS);
  }

  #begin(start: {
    readonly role: Role;
    readonly at: number;
    readonly generation: number | null;
    readonly exit: ExitVerdict | null;
    readonly noticedBy: IncidentRow["noticedBy"];
    readonly ends: number;
    readonly crash: string | null;
  }): IncidentRow {
    const { role, at, generation, exit, noticedBy, ends, crash } = start;
    return this.#save(
      {
        id: incidentId(at, role),
        kind: "outage",
        role,
        openedAt: at,
        closedAt: null,
        cause: "ended-without-record",
        verdict: "possible",
        summary: "it ended",
        evidence: [],
        unknown: [],
        ...explanation(exit, crash),
        noticedBy,
        generation,
        ends,
        crash,
      },
      "opened",
    );
  }

  #end(incident: IncidentRow, at: number): void {
    this.#save({ ...incident, closedAt: at }, "closed");
  }

  #change(incident: IncidentRow, change: Partial<IncidentRow>): void {
    this.#save({ ...incident, ...change });
  }

  #save(incident: IncidentRow, change?: "opened" | "closed"): IncidentRow {
    this.#store.saveIncident(incident);
    if (incident.closedAt === null) this.#open.set(keyOf(incident), incident);
    else this.#open.delete(keyOf(incident));
    if (change !== undefined) this.#onChange(incident, change);
    return incident;
  }
}

function explanation(exit: ExitVerdict | null, crash: string | null): Partial<IncidentRow> {
  if (exit === null) return crash === null ? {} : { crash };
  const { cause, verdict, summary, evidence, unknown } = exit;
  return { cause, verdict, summary, evidence, unknown, ...(crash === null ? {} : { crash }) };
}

/** One open outage for each process, one open burst for each cause. */
function keyOf(incident: IncidentRow): string {
  return incident.kind === "outage" ? incident.role : `burst ${incident.cause}`;
}

/** Short enough to be typed, and different for two incidents of one moment. */
function incidentId(at: number, what: string): string {
  let hash = 0;
  for (const character of what) hash = (hash * 31 + character.charCodeAt(0)) % 36;
  return `i-${at.toString(36)}${hash.toString(36)}`;
}
