import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { MethodError } from "../frames.ts";
import { maybeDone } from "./calls.ts";
import type { Declared, FromModule } from "./messages.ts";

/** Its module does not run now; nothing was done. */
export function unavailable({ name }: Declared, retryAfterMs: number): MethodError {
  return new MethodError({
    code: ErrorCodes.UNAVAILABLE,
    message: `${name} is not there now: its module ended, and is about to be started again`,
    details: { reason: "module-unavailable" },
    retryable: true,
    retryAfterMs,
  });
}

/** Its module ended while it was under way. */
export function ended({ name, external }: Declared): MethodError {
  return new MethodError({
    code: ErrorCodes.UNAVAILABLE,
    message: `${name} was not finished as its module ended${maybeDone(external)}`,
    details: { reason: "module-failed" },
    ...(external ? {} : { retryable: true }),
  });
}

/** What the module says of a call that it could not, or would not, do. */
export function ofModule(
  { name }: Declared,
  { kind, text }: Extract<FromModule, { type: "error" }>,
): MethodError {
  const code = kind === "params" || kind === "refused" ? ErrorCodes.INVALID_REQUEST : ErrorCodes.UNAVAILABLE;
  const message = {
    params: `invalid ${name} params: ${text}`,
    refused: text,
    failed: `${name} failed: see the gateway's log`,
    "too-large": `${name} failed: ${text}`,
  }[kind];
  const details = kind === "failed" || kind === "too-large" ? { details: { reason: "method-failed" } } : {};
  return new MethodError({ code, message, ...details });
}

export function unreadable({ name }: Declared, why: string): MethodError {
  return new MethodError({
    code: ErrorCodes.INVALID_REQUEST,
    message: `invalid ${name} params: they cannot be passed on: ${why}`,
  });
}
