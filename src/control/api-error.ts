import { ClawkitError, type ErrorCode, messageOf } from "../core/errors.ts";
import type { ApiFailure } from "./contract.ts";

/** Refusals of the API itself, with their HTTP status. */
const REFUSALS = {
  BAD_REQUEST: 400,
  NOT_SIGNED_IN: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BUSY: 409,
  TOO_LARGE: 413,
  NOT_JSON: 415,
  LOCKED_OUT: 429,
} as const;

/** ClawKit's own errors that are not the server's fault. */
const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  NOTHING_RECORDED: 404,
  CONTROL_FAILED: 503,
  NOT_RUNNING: 503,
};

/** A request that is refused, in a sentence. */
export class ApiError extends Error {
  readonly code: keyof typeof REFUSALS;

  constructor(code: keyof typeof REFUSALS, message: string) {
    super(message);
    this.code = code;
  }

  get status(): number {
    return REFUSALS[this.code];
  }
}

/** What an error of any kind is answered with. */
export function failureOf(thrown: unknown): { status: number; error: ApiFailure["error"] } {
  if (thrown instanceof ApiError) {
    return { status: thrown.status, error: { code: thrown.code, message: thrown.message } };
  }
  if (thrown instanceof ClawkitError) {
    return {
      status: STATUS_OF[thrown.code] ?? 500,
      error: { code: thrown.code, message: messageOf(thrown) },
    };
  }
  return {
    status: 500,
    error: { code: "INTERNAL", message: `${messageOf(thrown)} (this is a bug in ClawKit)` },
  };
}
