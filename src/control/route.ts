import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "./api-error.ts";
import type { ControlDeps } from "./deps.ts";
import type { EndCounts } from "./end-counts.ts";
import type { Front } from "./guard.ts";
import type { Jobs } from "./jobs.ts";
import type { LogFeed } from "./log-feed.ts";
import type { Session, Sessions } from "./session.ts";
import type { Ticker } from "./ticker.ts";

/** What all routes share. */
export interface Shared {
  readonly deps: ControlDeps;
  readonly front: Front;
  readonly sessions: Sessions;
  readonly jobs: Jobs;
  readonly ticker: Ticker;
  readonly logFeed: LogFeed;
  readonly endCounts: EndCounts;
}

/** One request to a route. */
export interface Call extends Shared {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly peer: string;
  /** Value of the session's cookie. */
  readonly cookie: string | undefined;
  /** Of a route that is open it may be missing. */
  readonly session: Session | undefined;
}

export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below the API's prefix; `:name` is a parameter. */
  readonly path: string;
  /** For whoever is not signed in yet. */
  readonly isOpen?: boolean;
  /** In a line, as docs/control-api.md has it. */
  readonly what: string;
  /** What it answers with; nothing if it has written the answer itself. */
  readonly handle: (call: Call) => Promise<object | undefined>;
}

/** A whole number of the query, within bounds. Throws BAD_REQUEST. */
export function numberIn(
  query: URLSearchParams,
  name: string,
  range: { readonly preset: number; readonly min: number; readonly max: number },
): number {
  const text = query.get(name);
  if (text === null) return range.preset;
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= range.min && value <= range.max) return value;
  throw new ApiError("BAD_REQUEST", `${name} must be a whole number from ${range.min} to ${range.max}`);
}

/** One of some words of the query. Throws BAD_REQUEST. */
export function wordIn<T extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly T[],
  preset: T,
): T {
  const text = query.get(name);
  if (text === null) return preset;
  const word = words.find((one) => one === text);
  if (word !== undefined) return word;
  throw new ApiError("BAD_REQUEST", `${name} must be one of ${words.join(", ")}`);
}
