import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../core/address-ranges.ts";
import type { Clock } from "../core/ports.ts";
import { ApiError } from "./api-error.ts";

/** 256 bits: nobody guesses it. */
const SECRET_BYTES = 32;

const CODE_MS = 60_000;
const SESSION_MS = 12 * 3_600_000;

/** More are open tabs nobody looks at; the oldest goes. */
const MAX_SESSIONS = 100;
const MAX_CODES = 20;

/**
 * Tokens that were wrong, after which none is tried for the rest of the minute. Codes do not count: nobody guesses
 * one, and whoever has a right one must get in, whatever another program of this machine does meanwhile.
 */
const MAX_FAILURES = 10;
const FAILURES_MS = 60_000;

/** All programs of this machine have the same address, and a network may have any number of them. */
type Origin = "here" | "elsewhere";

export interface Session {
  /** Names it in records; no secret. */
  readonly id: string;
  readonly how: "one-time code" | "token";
  readonly peer: string;
  /** Sent with every change: another site's page cannot read it. */
  readonly csrf: string;
  readonly expiresAt: number;
  /** Once somebody has signed out. */
  readonly over: AbortSignal;
}

/** Who is signed in, and the one-time codes that are good. Secrets are kept hashed, and in memory only. */
export class Sessions {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, Session>();
  readonly #endings = new WeakMap<Session, AbortController>();
  readonly #codes = new Map<string, number>();
  /** Apart, so that nobody on another machine locks out whoever sits at this one. */
  readonly #failures: Record<Origin, number[]> = { here: [], elsewhere: [] };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Good once, for a minute. */
  issueCode(): string {
    const code = secret();
    this.#codes.set(hashOf(code), this.#clock.now() + CODE_MS);
    dropOldest(this.#codes, MAX_CODES);
    return code;
  }

  /** Takes a one-time code; returns the session and its cookie's value. Throws NOT_SIGNED_IN. */
  withCode(code: string, peer: string): { session: Session; secret: string } {
    const hash = hashOf(code);
    const goodUntil = this.#codes.get(hash);
    this.#codes.delete(hash);
    if (goodUntil === undefined || goodUntil <= this.#clock.now()) {
      throw new ApiError(
        "NOT_SIGNED_IN",
        "The code was used before, is older than a minute, or is wrong: clawkit console makes one",
      );
    }
    return this.#open("one-time code", peer);
  }

  /** Takes the gateway's own secret; undefined where it has none of ours. Throws LOCKED_OUT, NOT_SIGNED_IN. */
  withToken(token: string, expected: string | undefined, peer: string): { session: Session; secret: string } {
    if (this.isLocked(peer)) {
      throw new ApiError(
        "LOCKED_OUT",
        `${MAX_FAILURES} tokens were wrong within a minute: wait a minute, or sign in with clawkit console`,
      );
    }
    if (expected !== undefined && isSame(token, expected)) return this.#open("token", peer);
    this.#failures[originOf(peer)].push(this.#clock.now());
    throw new ApiError(
      "NOT_SIGNED_IN",
      expected === undefined
        ? "This gateway has no token of ours: clawkit console opens a way in"
        : "The token is wrong: it is gateway.auth of the config",
    );
  }

  /** Whether too many tokens were wrong: after the one that makes it so, none is tried for a while. */
  isLocked(peer: string): boolean {
    const failures = this.#failures[originOf(peer)];
    const since = this.#clock.now() - FAILURES_MS;
    while (failures.length > 0 && failures[0]! <= since) failures.shift();
    return failures.length >= MAX_FAILURES;
  }

  /** The session of a cookie's value. */
  find(cookie: string | undefined): Session | undefined {
    if (cookie === undefined) return undefined;
    const hash = hashOf(cookie);
    const session = this.#sessions.get(hash);
    if (session === undefined || session.expiresAt > this.#clock.wall()) return session;
    this.#sessions.delete(hash);
    return undefined;
  }

  close(cookie: string): void {
    const session = this.find(cookie);
    if (session === undefined) return;
    this.#sessions.delete(hashOf(cookie));
    this.#endings.get(session)?.abort();
  }

  #open(how: Session["how"], peer: string): { session: Session; secret: string } {
    const cookie = secret();
    const expiresAt = this.#clock.wall() + SESSION_MS;
    const ending = new AbortController();
    const id = randomBytes(4).toString("hex");
    const session = { id, how, peer, csrf: secret(), expiresAt, over: ending.signal };
    this.#endings.set(session, ending);
    this.#sessions.set(hashOf(cookie), session);
    dropOldest(this.#sessions, MAX_SESSIONS);
    return { session, secret: cookie };
  }
}

/** Compares in a time that tells nothing of where they differ. */
export function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function originOf(peer: string): Origin {
  return isLoopback(peer) ? "here" : "elsewhere";
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
