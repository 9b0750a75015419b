import { randomUUID } from "node:crypto";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import type { Commits } from "./commits.ts";
import { type ErrorShape, MethodError } from "./frames.ts";
import type { Journal } from "./journal/journal.ts";

/** The real gateway's: how long it holds without being asked for again, and when to ask. */
const HELD_MS = 120_000;
const RETRY_MS = 20_000;

export interface SuspensionDeps {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly wall: () => number;
  /** Within a commit: the published event `gateway.suspension`. */
  readonly tell: (phase: Phase) => void;
}

export type Phase = "accepting" | "draining" | "prepared";

interface Held {
  readonly suspension: string;
  readonly request: string;
  readonly phase: Phase;
  readonly expires: number;
}

/**
 * Somebody is about to freeze or move this machine, and wants no work begun meanwhile. It is in the journal, as the promise outlives the
 * gateway; all within a commit.
 */
export class Suspension {
  readonly #deps: SuspensionDeps;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: SuspensionDeps) {
    this.#deps = deps;
    const held = this.#row();
    if (held !== undefined) this.#arm(held.expires);
  }

  get phase(): Phase {
    return this.#held()?.phase ?? "accepting";
  }

  /** Why no work is begun now; undefined if it is. */
  refusal(): ErrorShape | undefined {
    const held = this.#held();
    return held === undefined
      ? undefined
      : {
          code: ErrorCodes.UNAVAILABLE,
          message: "the gateway is suspended: nothing new is begun until gateway.suspend.resume",
          details: { reason: "gateway-suspended", expiresAtMs: held.expires },
          retryable: true,
          retryAfterMs: Math.max(0, held.expires - this.#deps.wall()),
        };
  }

  prepare({ requestId, drain }: { requestId: string; drain?: boolean }) {
    const before = this.#held();
    if (before !== undefined && before.request !== requestId) throw conflict(before, this.#deps.wall());
    const work = this.#work();
    if (work.activeCount > 0 && !drain)
      return { status: "busy", reason: "active-work", retryAfterMs: RETRY_MS, ...work };
    const suspension = before?.suspension ?? randomUUID();
    const expires = this.#deps.wall() + HELD_MS;
    const phase = work.activeCount > 0 ? "draining" : "prepared";
    this.#hold({ suspension, request: requestId, phase, expires }, before?.phase);
    const held = { suspensionId: suspension, expiresAtMs: expires, ...work };
    return phase === "draining"
      ? { status: "draining", retryAfterMs: RETRY_MS, ...held }
      : { status: "ready", ...held };
  }

  status(suspensionId: string) {
    const held = this.#mine(suspensionId);
    if (held === undefined) return { status: "running" };
    const { expires } = held;
    const work = this.#work();
    if (work.activeCount > 0 && held.phase === "draining")
      return { status: "draining", expiresAtMs: expires, retryAfterMs: RETRY_MS, ...work };
    if (held.phase === "draining") this.#hold({ ...held, phase: "prepared" }, held.phase);
    return { status: "ready", expiresAtMs: expires };
  }

  resume(suspensionId: string) {
    const held = this.#mine(suspensionId);
    if (held !== undefined) this.#release();
    return { ok: true, status: "running", resumed: held !== undefined };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #mine(suspensionId: string): Held | undefined {
    const held = this.#held();
    if (held !== undefined && held.suspension !== suspensionId) throw conflict(held, this.#deps.wall());
    return held;
  }

  #held(): Held | undefined {
    const row = this.#row();
    return row !== undefined && row.expires > this.#deps.wall() ? row : undefined;
  }

  #row(): Held | undefined {
    return this.#deps.journal.get("SELECT * FROM suspension") as Held | undefined;
  }

  /** What is begun and not answered. */
  #work() {
    const { journal } = this.#deps;
    const { count: invokes } = journal.get("SELECT count(*) AS count FROM invokes") as { count: number };
    const { count: requests } = journal.get("SELECT count(*) AS count FROM inbox") as { count: number };
    const activeCount = invokes + requests;
    const message = `${activeCount} requests are not answered yet, ${invokes} of them by nodes`;
    return {
      activeCount,
      blockers: activeCount === 0 ? [] : [{ kind: "root-request", count: activeCount, message }],
    };
  }

  #hold({ suspension, request, phase, expires }: Held, before: Phase | undefined): void {
    const { journal, commits, tell } = this.#deps;
    journal.run("DELETE FROM suspension");
    journal.run("INSERT INTO suspension VALUES (?, ?, ?, ?)", suspension, request, phase, expires);
    if (phase !== before) tell(phase);
    commits.after(() => this.#arm(expires));
  }

  #release(): void {
    this.#deps.journal.run("DELETE FROM suspension");
    this.#deps.tell("accepting");
    this.#deps.commits.after(() => clearTimeout(this.#timer));
  }

  #arm(expires: number): void {
    const { commits, wall } = this.#deps;
    clearTimeout(this.#timer);
    const expire = () => {
      const row = this.#row();
      if (row === undefined) return;
      if (row.expires <= wall()) this.#release();
      else commits.after(() => this.#arm(row.expires)); // the two clocks are not one
    };
    // where that cannot be written now it is over all the same: its time is looked at
    this.#timer = setTimeout(
      () => commits.add({ work: expire, failed: () => undefined }),
      Math.min(Math.max(0, expires - wall()), HELD_MS),
    );
  }
}

function conflict({ expires }: Held, now: number): MethodError {
  return new MethodError({
    code: ErrorCodes.UNAVAILABLE,
    message: "another gateway suspension is already prepared",
    retryable: true,
    retryAfterMs: Math.max(0, expires - now),
    details: { reason: "gateway-suspension-conflict", expiresAtMs: expires },
  });
}
