import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { CLOSE } from "../core/close-codes.ts";
import { messageOf } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { printable } from "../core/printable.ts";
import type { Commits } from "./commits.ts";
import { type ErrorShape, MethodError } from "./frames.ts";
import type { GatewayLink } from "./gateway-link.ts";
import { type InboxRow, isOfJournal, type Journal } from "./journal/journal.ts";
import { ANSWERED_LATER, type GatewayContext, type Method } from "./methods/index.ts";
import {
  beginningOf,
  OUTCOME_UNKNOWN,
  QUARANTINED,
  requestIn,
  TOO_LATE,
  withoutParams,
} from "./request-texts.ts";
import type { RequestFrame } from "./schemas.ts";
import { includesScope, missingScopeError } from "./scopes.ts";
import type { Session } from "./session.ts";
import { TOO_MANY_WAIT, Turns } from "./turns.ts";

/** The reference client gives up on a request after 30 s (knowledge: openclaw.md): nobody hears a later answer. */
const STALE_MS = 30_000;

/** In flight at two ends of the gateway: the request may be their cause. */
const MAX_STARTS = 2;

/** A kill is none of the request's, unless the kernel kills for memory that the request takes. */
const MAX_KILLS = 4;

/** What may end the gateway and takes time is run alone for as long, and all of them together; the next does not wait for longer. */
const ALONE_MS = 500;
const ALL_ALONE_MS = 10_000;

export interface RequestsDeps {
  readonly journal: Journal;
  readonly commits: Commits;
  readonly context: GatewayContext;
  /** Of the gateway, or of a module. */
  readonly methodOf: (name: string) => Method<unknown> | undefined;
  readonly log: Log;
  readonly wall: () => number;
}

interface Work {
  /** Of its row in the journal. */
  readonly stored: number;
  readonly session: Session;
  readonly frame: RequestFrame;
  /** Of its text. */
  readonly characters: number;
}

/**
 * Runs the requests of clients, each once: most in the commit that stores them; what takes longer, or was in flight when a
 * gateway ended, is stored first and finished by a commit of its own.
 */
export class Requests {
  readonly #deps: RequestsDeps;
  #onceAnswered: (() => void)[] = [];
  readonly #turns = new Turns();
  /** Of the suspects that take time: one after another. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(deps: RequestsDeps) {
    this.#deps = deps;
  }

  /** Within a commit: takes message `n` of a client that said hello. Anything that is no request is ignored, as the real gateway does. */
  take(link: GatewayLink, session: Session, n: number, text: string): void {
    link.store(n);
    const { journal, commits, wall } = this.#deps;
    if (this.isSuspect(link, n)) {
      // to read it may be what ends the gateway: that it is begun is written before
      const stored = journal.store({ link: link.key, n, text, at: wall(), ...this.#again(ONE_START) });
      const isStale = n <= link.offer.stale;
      commits.after(() => this.#runSuspect({ stored, session, isStale }, text));
      return;
    }
    const frame = requestIn(text);
    if (frame === undefined) return;
    if (n <= link.offer.stale) return session.respondError(frame.id, TOO_LATE);
    const chosen = this.#choose(session, frame);
    if ("error" in chosen) return session.respondError(frame.id, chosen.error);
    const { runs } = chosen.method;
    if (runs === undefined) return this.#answer({ session, frame }, chosen);
    const waits = takesTurns(chosen.method);
    if (waits && this.#turns.isFull(session)) return session.respondError(frame.id, TOO_MANY_WAIT);
    const kept = runs === "external" ? withoutParams(frame) : text;
    const begun = waits ? NO_START : ONE_START;
    const stored = journal.store({ link: link.key, n, text: kept, at: wall(), ...begun });
    const work = { stored, session, frame, characters: text.length };
    commits.after(() => void (waits ? this.#begin(ONE_START, work, chosen) : this.#runStored(work, chosen)));
  }

  #runSuspect(
    { stored, session, isStale }: Pick<Work, "stored" | "session"> & { isStale: boolean },
    text: string,
  ): void {
    const frame = requestIn(text);
    if (frame === undefined) return this.#finish(stored, () => undefined);
    const work = { stored, session, frame, characters: text.length };
    const answer = (error: ErrorShape) => this.#finish(stored, () => session.respondError(frame.id, error));
    if (isStale) return answer(TOO_LATE);
    const chosen = this.#choose(session, frame);
    if ("error" in chosen) return answer(chosen.error);
    if (chosen.method.runs === undefined) return void this.#runStored(work, chosen);
    // it is no suspect for what runs before its turn
    const isExternal = chosen.method.runs === "external";
    this.#count(work, ONE_START, () => this.#inTurn(this.#again(ONE_START), work, chosen), isExternal);
  }

  /** Takes up what the gateway before had stored and not answered. */
  recover(row: InboxRow, session: Session): void {
    const { wall, log } = this.#deps;
    const stored = row.id;
    if (this.#isBehindKill ? row.kills >= MAX_KILLS : row.starts >= MAX_STARTS) {
      const { id, method } = beginningOf(row.text);
      this.#deps.context.stability.note({ type: "request.quarantined", ...(method && { method }) });
      log(
        `${method ?? "a request"} was in flight when the gateway ended, ${row.starts + row.kills} times: it is not run again (request ${printable(id ?? "without an id")})`,
      );
      return this.#finish(stored, () => {
        if (id !== undefined) session.respondError(id, QUARANTINED);
        else session.link.close(CLOSE.serviceRestart, "a request of yours ended the gateway, reconnect");
      });
    }
    const frame = requestIn(row.text);
    if (frame === undefined) return this.#finish(stored, () => undefined);
    const work = { stored, session, frame, characters: row.text.length };
    const answer = (error: ErrorShape) => this.#finish(stored, () => session.respondError(frame.id, error));
    const known = this.#deps.methodOf(frame.method);
    // it was there when this was begun: a module that is gone, or not loaded yet
    if (known === undefined || known.runs === "external") return answer(OUTCOME_UNKNOWN);
    // a suspension that came behind it lets it end
    const chosen = this.#choose(session, frame, { isNew: false });
    if ("error" in chosen) return answer(chosen.error);
    if (wall() - row.at > Math.max(STALE_MS, known.waitsMs ?? 0)) return answer(TOO_LATE);
    const begun = this.#again(row);
    if (chosen.method.runs === "apart") this.#inTurn(begun, work, chosen);
    else this.#count(work, begun, () => void this.#runStored(work, chosen));
  }

  get #isBehindKill(): boolean {
    return this.#deps.context.settings.isBehindKill;
  }

  /** One more start. The one before is forgiven if a kill ended it. */
  #again({ starts, kills }: Begun): Begun {
    if (starts === 0 && kills === 0) return ONE_START; // it waited for its turn
    return this.#isBehindKill
      ? { starts: Math.max(1, starts), kills: kills + 1 }
      : { starts: starts + 1, kills };
  }

  /** Writes how often a request was begun, and goes on. */
  #count({ stored, frame }: Work, begun: Begun, go: () => void, isExternal = false): void {
    const { journal, commits } = this.#deps;
    const task = {
      work: () => {
        journal.begin(stored, begun);
        if (isExternal) journal.setText(stored, withoutParams(frame));
        commits.after(go);
      },
      failed: () => setTimeout(() => commits.add(task), RETRY_MS),
    };
    commits.now(task);
  }

  /** One of them may end the gateway: the others are not to be found in flight with it. Behind a kill none is suspected. */
  #inTurn(begun: Begun, work: Work, chosen: Chosen): void {
    if (this.#isBehindKill) return void this.#begin(begun, work, chosen);
    const { clock, startedAt } = this.#deps.context;
    this.#turn = this.#turn.then(async () => {
      const { promise: isLate, resolve } = Promise.withResolvers<void>();
      const leftMs = startedAt + ALL_ALONE_MS - clock.now();
      const timer = setTimeout(resolve, Math.min(ALONE_MS, Math.max(0, leftMs)));
      await Promise.race([this.#begin(begun, work, chosen), isLate]);
      clearTimeout(timer);
    });
  }

  /** Counts and runs it, where it takes turns when that comes: what waits has not been begun. Resolves when it is over. */
  #begin(begun: Begun, work: Work, chosen: Chosen): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const run = () => {
      this.#count(work, begun, () => void this.#runStored(work, chosen).then(resolve));
      return promise;
    };
    if (!takesTurns(chosen.method)) return run();
    const { session, characters, stored } = work;
    return this.#turns.take(session, characters, async () => {
      const { isForgotten, state } = session.link;
      if (isForgotten || state.closing !== undefined) this.#drop(stored);
      else await run();
    });
  }

  /** Nobody hears its answer: it is not begun. One of hundreds, perhaps, so their rows go together. */
  #drop(stored: number): void {
    const { journal, commits } = this.#deps;
    const task = {
      work: () => journal.finish(stored),
      failed: () => setTimeout(() => commits.add(task), RETRY_MS),
    };
    commits.add(task);
  }

  /** Whether a message must be alone in its commit: it may have ended a gateway. */
  isSuspect(link: GatewayLink, n: number): boolean {
    return n <= link.offer.tried;
  }

  /** Resolves when it has run. */
  async #runStored(work: Work, chosen: Chosen): Promise<void> {
    if (chosen.method.runs === undefined) return this.#finish(work.stored, () => this.#answer(work, chosen));
    this.#finish(work.stored, await this.#outcomeOf(work, chosen));
  }

  #finish(stored: number, respond: () => void): void {
    const { journal, commits } = this.#deps;
    const task = {
      work: () => {
        journal.finish(stored);
        respond();
      },
      failed: () => setTimeout(() => commits.add(task), RETRY_MS),
    };
    commits.now(task);
  }

  async #outcomeOf({ session, frame }: Work, { method, params }: Chosen): Promise<() => void> {
    try {
      const payload = await method.run(params, session, this.#deps.context, frame.id);
      return () => session.respond(frame.id, payload);
    } catch (error) {
      return () => session.respondError(frame.id, this.#errorOf(frame, error));
    }
  }

  /** Within a method that runs in the commit of its request: done right behind its answer. */
  onceAnswered(work: () => void): void {
    this.#onceAnswered.push(work);
  }

  /** Within a commit. */
  #answer({ session, frame }: Pick<Work, "session" | "frame">, { method, params }: Chosen): void {
    this.#onceAnswered = [];
    try {
      const payload = method.run(params, session, this.#deps.context, frame.id);
      if (payload !== ANSWERED_LATER) session.respond(frame.id, payload);
    } catch (error) {
      if (isOfJournal(error)) throw error; // the commit fails, and with it what was done
      session.respondError(frame.id, this.#errorOf(frame, error));
    }
    for (const work of this.#onceAnswered) work();
  }

  #choose(
    session: Session,
    frame: RequestFrame,
    { isNew } = { isNew: true },
  ): Chosen | { readonly error: ErrorShape } {
    const method = this.#deps.methodOf(frame.method);
    if (method === undefined) {
      return { error: { code: ErrorCodes.INVALID_REQUEST, message: `unknown method: ${frame.method}` } };
    }
    const scope = method.scope === "dynamic" ? "operator.write" : method.scope;
    if (scope === "node" && session.role !== "node")
      return { error: { code: ErrorCodes.INVALID_REQUEST, message: `unauthorized role: ${session.role}` } };
    if (scope !== "node" && !includesScope(session.scopes, scope)) return { error: missingScopeError(scope) };
    const params = method.read(frame.params);
    if ("problem" in params) {
      const message = `invalid ${frame.method} params: ${params.problem}`;
      return { error: { code: ErrorCodes.INVALID_REQUEST, message } };
    }
    const refusal = isNew && method.isWork ? this.#deps.context.suspension.refusal() : undefined;
    return refusal === undefined ? { method, params: params.value } : { error: refusal };
  }

  #errorOf(frame: RequestFrame, error: unknown): ErrorShape {
    if (error instanceof MethodError) return error.shape;
    this.#deps.context.stability.note({ type: "method.failed", method: frame.method });
    this.#deps.log(`method ${frame.method} failed: ${messageOf(error)}`);
    return { code: ErrorCodes.UNAVAILABLE, message: `${frame.method} failed: see the gateway's log` };
  }
}

interface Chosen {
  readonly method: Method<unknown>;
  readonly params: unknown;
}

/** An answer that could not be written is tried again: a full disk gets space, some time. */
const RETRY_MS = 1_000;

type Begun = Pick<InboxRow, "starts" | "kills">;

const ONE_START: Begun = { starts: 1, kills: 0 };
const NO_START: Begun = { starts: 0, kills: 0 };

/**
 * Our own methods that take time read files, and wait for nobody. Those of modules have bounds of their own (modules/calls.ts), and may
 * take minutes. What changes more than the journal is done though who asked has left, and by itself one after another (config.patch).
 */
function takesTurns({ runs, isOfModule }: Method<unknown>): boolean {
  return runs === "apart" && !isOfModule;
}
