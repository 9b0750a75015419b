import { createHash, randomBytes } from "node:crypto";
import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { CLOSE } from "../core/close-codes.ts";
import { isSameSecret } from "./auth.ts";
import { type ErrorShape, errorFrame, responseFrame } from "./frames.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { MAX_KEPT, Resumable, type ResumableHost } from "./resumable.ts";
import { type ResumeFrame, readResumeFrame } from "./resume-frames.ts";
import type { Session } from "./session.ts";

/** How long a client may be away: with less a phone in a tunnel loses its place, with more others see who is long gone (Ably: the same). */
export const RETAIN_MS = 120_000;

/** Of all clients that are away, characters. */
const MAX_KEPT_AWAY = 256 * 1024 * 1024;

const SWEEP_MS = 5_000;

/** RFC 6455 §7.4.1: a Close frame without a code. */
const NO_CODE = 1005;

export interface ResumptionsDeps extends ResumableHost {
  readonly wall: () => number;
  readonly sessionOf: (link: GatewayLink) => Session | undefined;
  /** Within a commit: what this session was to its link it is to this one. */
  readonly onMoved: (session: Session, from: GatewayLink, to: GatewayLink) => void;
  readonly forget: (link: GatewayLink) => void;
}

/** Sessions that survive their client's connection, if the client asked for it (docs/link-protocol.md, "A client's own resumption"). */
export class Resumptions {
  readonly #deps: ResumptionsDeps;
  readonly #resumables = new Map<string, Resumable>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: ResumptionsDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** Takes up those of the gateway before. */
  recover(linkOf: (key: number) => GatewayLink | undefined): void {
    for (const row of this.#deps.journal.resumable.rows()) {
      const link = linkOf(row.link);
      const session = link === undefined ? undefined : this.#deps.sessionOf(link);
      if (session === undefined) continue;
      this.#add(new Resumable(row, session, this.#deps));
      if (row.leftAt !== null) link!.park();
    }
  }

  /** Within a commit: the client's message `n`. True if it was for us; otherwise it is counted, and is for others. */
  take(link: GatewayLink, session: Session, n: number, text: string): boolean {
    const frame = readResumeFrame(text);
    if (frame === undefined) {
      session.resumable?.take();
      return false;
    }
    link.store(n);
    if (frame.kind === "ack") {
      session.resumable?.release(frame.n);
      if (frame.asks) session.resumable?.tell();
    } else if (frame.kind === "open" && session.resumable === undefined) {
      this.#open(link, session, frame.id);
    } else {
      this.#attach(link, session, frame);
    }
    return true;
  }

  /** A client left its link. True if it may come back, and its session is kept. */
  keep(link: GatewayLink, code: number | undefined): boolean {
    const resumable = this.#deps.sessionOf(link)?.resumable;
    const isOver = code === CLOSE.normal || code === NO_CODE || link.state.closing !== undefined;
    if (resumable === undefined || isOver) return false;
    if (resumable.leftAt !== undefined) return true;
    link.park();
    resumable.leftAt = this.#deps.wall();
    this.#deps.commits.addLazy(resumable.writeLeft);
    return true;
  }

  /** Its link is forgotten. */
  end(session: Session): void {
    if (session.resumable === undefined) return;
    session.resumable.end();
    this.#resumables.delete(session.resumable.id);
  }

  /** Forgets who is away for too long, and whose messages are too many. */
  sweep(): void {
    const { wall, forget } = this.#deps;
    const away = [...this.#resumables.values()].filter(({ leftAt }) => leftAt !== undefined);
    away.sort((a, b) => b.leftAt! - a.leftAt!);
    let bytes = 0;
    for (const { session, leftAt, bytes: kept } of away) {
      bytes += kept;
      if (wall() - leftAt! > RETAIN_MS || kept > MAX_KEPT || bytes > MAX_KEPT_AWAY) forget(session.link);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    for (const resumable of this.#resumables.values()) resumable.end();
  }

  #open(link: GatewayLink, session: Session, id: string): void {
    const secret = randomBytes(32).toString("base64url");
    const name = randomBytes(16).toString("base64url");
    const key = this.#deps.journal.resumable.add(name, digestOf(secret), link.key);
    const counts = { taken: 0, emitted: 0, received: 0, attempt: 0, leftAt: null };
    const row = { key, id: name, digest: digestOf(secret), link: link.key, ...counts };
    const resumable = new Resumable(row, session, this.#deps);
    this.#add(resumable);
    this.#deps.commits.undo(() => {
      session.resumable = undefined;
      this.#resumables.delete(name);
    });
    // the journal has no secret: who has to get this answer from it opens another session
    link.emit(
      responseFrame(id, { session: name, secret, retainSec: RETAIN_MS / 1_000 }),
      errorFrame(id, UNHEARD),
    );
  }

  #attach(link: GatewayLink, fresh: Session, { id, params }: Exclude<ResumeFrame, { kind: "ack" }>): void {
    const found = this.#resumables.get(params?.session ?? "");
    const mayGoOn =
      found !== undefined &&
      params !== undefined &&
      fresh.resumable === undefined &&
      isSameSecret(digestOf(params.secret), found.digest) &&
      found.session.mayBe(fresh) &&
      found.session.link.state.closing === undefined &&
      params.attempt > found.attempt &&
      found.canGoOn(params.received) &&
      found.bytes <= MAX_KEPT;
    if (!mayGoOn) return link.emit(errorFrame(id, LOST));
    const { journal, commits, onMoved, forget } = this.#deps;
    const { session, leftAt, attempt } = found;
    const from = session.link;
    commits.undo(() => {
      Object.assign(found, { leftAt, attempt });
    });
    found.leftAt = undefined;
    found.attempt = params.attempt;
    journal.resumable.move(found, from.key, link.key);
    session.moveTo(link, commits);
    link.emit(responseFrame(id, { stored: found.taken }));
    for (const text of journal.resumable.kept(found.key, params.received)) link.emit(text);
    found.release(params.received);
    onMoved(session, from, link);
    // in the same commit: a next gateway that knew it would take from it what the client sends again over this one
    journal.removeLink(from.key);
    commits.after(() => {
      from.hangUp();
      forget(from);
    });
  }

  #add(resumable: Resumable): void {
    resumable.session.resumable = resumable;
    this.#resumables.set(resumable.id, resumable);
  }
}

/** It has not counted anything yet: it connects again. */
const UNHEARD: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "the gateway ended before the answer to this came, reconnect",
  retryable: true,
};

/** The client announces a gap, and opens another. */
const LOST: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "this session cannot go on: it is over, or was another's",
  details: { reason: "resume-lost" },
};

function digestOf(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
