/** Frames of the OpenClaw Gateway protocol that the library writes and reads itself (docs/link-protocol.md, "The client's own resumption"). */
const CONNECT = "clawkit.connect";
const OPEN = "clawkit.resume.open";
const ATTACH = "clawkit.resume.attach";

/** Frames that arrive before a number of them is confirmed; the last ones are after `ACK_MS`. */
const ACK_EVERY = 64;
const ACK_MS = 500;

/** What a gateway says first. A device signs `nonce`. */
export interface Challenge {
  readonly nonce: string;
  /** The gateway's clock, wall-clock milliseconds. */
  readonly ts: number;
}

/** What a gateway says to who is let in; more than the library reads. */
export interface Hello {
  readonly features?: { readonly methods?: readonly string[] };
  readonly policy?: { readonly tickIntervalMs?: number };
  readonly auth?: {
    readonly role?: string;
    readonly scopes?: readonly string[];
    readonly deviceToken?: string;
  };
  readonly [more: string]: unknown;
}

/** It did not let us in. */
export interface Refusal {
  readonly message: string;
  /** As it says; else its close does. */
  readonly mayRetry: boolean;
  readonly afterMs: number | undefined;
}

/** What the gateway knows us by, and how many of its messages came. */
export interface Ticket {
  readonly session: string;
  readonly secret: string;
  received: number;
  /** Connections that it was attached to, or should have been: an earlier one may still be under way. */
  attempt: number;
}

export interface TalkHost {
  /** The params of `connect`, for a challenge. */
  readonly connectParams: (challenge: Challenge) => unknown;
  readonly write: (text: string) => void;
  /** Messages may be sent. `stored`: those of ours that it has; undefined if it knows nothing of before. */
  readonly onLive: (hello: Hello, ticket: Ticket | undefined, stored: number | undefined) => void;
  readonly onMessage: (data: unknown) => void;
  readonly onConfirmed: (n: number) => void;
  readonly onRefused: (refusal: Refusal) => void;
}

interface Response {
  readonly ok: boolean;
  readonly payload?: unknown;
  readonly error?: {
    readonly message?: string;
    readonly retryable?: boolean;
    readonly retryAfterMs?: number;
    readonly details?: { readonly reason?: string };
  };
}

/** One connection's talk: challenge → connect → open or attach → live. */
export class Talk {
  readonly #host: TalkHost;
  #state: "challenge" | "asking" | "live" | "over" = "challenge";
  #hello: Hello = {};
  #ticket: Ticket | undefined;
  #isCounting = false;
  #early: unknown[] = [];
  #acked = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: TalkHost, ticket: Ticket | undefined) {
    this.#host = host;
    this.#ticket = ticket;
  }

  take(data: unknown): void {
    if (this.#state === "over") return;
    if (this.#state === "live") return this.#pass(data);
    const frame = parse(data);
    if (this.#state === "challenge") {
      if (frame?.event === "connect.challenge") void this.#connect(frame.payload as Challenge);
      return;
    }
    const answers = frame?.type === "res" ? [CONNECT, OPEN, ATTACH].indexOf(String(frame.id)) : -1;
    if (answers === -1) this.#early.push(data);
    else this.#onAnswer([CONNECT, OPEN, ATTACH][answers]!, frame as unknown as Response);
  }

  /** Asks for a sign of life; false if this server has no way to give one. */
  ask(): boolean {
    if (this.#isCounting) this.#ack(true);
    return this.#isCounting;
  }

  end(): void {
    this.#state = "over";
    clearTimeout(this.#ackTimer);
  }

  async #connect(challenge: Challenge): Promise<void> {
    this.#state = "asking";
    try {
      const params = await this.#host.connectParams(challenge);
      if (!this.#isOver()) this.#request(CONNECT, "connect", params);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#refused({ message: `the params of connect: ${why}`, retryable: true });
    }
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  #onAnswer(to: string, { ok, payload, error }: Response): void {
    if (to === CONNECT && ok) {
      this.#hello = (payload ?? {}) as Hello;
      if (!this.#hello.features?.methods?.includes(OPEN)) return this.#begin(undefined, undefined);
      if (this.#ticket === undefined) return this.#request(OPEN, OPEN, {});
      this.#ticket.attempt++;
      this.#request(ATTACH, ATTACH, this.#ticket);
    } else if (ok && to === OPEN) {
      const { session, secret } = payload as Ticket;
      this.#begin({ session, secret, received: 0, attempt: 0 }, undefined);
    } else if (ok) {
      this.#early = []; // all of it comes again, numbered
      this.#begin(this.#ticket, (payload as { stored: number }).stored);
    } else if (to === ATTACH && error?.details?.reason === "resume-lost") {
      this.#request(OPEN, OPEN, {});
    } else {
      this.#refused(error ?? {});
    }
  }

  #refused({ message = "no reason given", retryable, retryAfterMs }: NonNullable<Response["error"]>): void {
    if (this.#isOver()) return;
    this.#state = "over";
    const mayRetry = retryable === true || retryAfterMs !== undefined;
    this.#host.onRefused({ message, mayRetry, afterMs: retryAfterMs });
  }

  #begin(ticket: Ticket | undefined, stored: number | undefined): void {
    this.#state = "live";
    this.#ticket = ticket;
    this.#isCounting = ticket !== undefined;
    this.#acked = ticket?.received ?? 0;
    this.#host.onLive(this.#hello, ticket, stored);
    for (const data of this.#early.splice(0)) this.#host.onMessage(data);
  }

  #pass(data: unknown): void {
    if (!this.#isCounting || typeof data !== "string") return this.#host.onMessage(data);
    if (data.startsWith('{"type":"ack"')) return this.#host.onConfirmed(Number(parse(data)?.n));
    const isCounted = isNumbered(data);
    if (isCounted) this.#ticket!.received++;
    this.#host.onMessage(data);
    if (!isCounted) return;
    if (this.#ticket!.received - this.#acked >= ACK_EVERY) this.#ack(false);
    else this.#ackTimer ??= setTimeout(() => this.#ack(false), ACK_MS);
  }

  #ack(asks: boolean): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    this.#acked = this.#ticket!.received;
    this.#host.write(JSON.stringify({ type: "ack", n: this.#acked, ...(asks ? { ask: true } : {}) }));
  }

  #request(id: string, method: string, params: unknown): void {
    this.#host.write(JSON.stringify({ type: "req", id, method, params }));
  }
}

/** An event without `seq` is the edge's own: a tick in the gateway's absence. */
export function isNumbered(text: string): boolean {
  return !text.startsWith('{"type":"event"') || /"seq":\d+\}$/.test(text.slice(-24));
}

function parse(data: unknown): Record<string, unknown> | undefined {
  try {
    return JSON.parse(data as string) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
