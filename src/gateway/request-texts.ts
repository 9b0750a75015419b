import { ErrorCodes } from "@openclaw/gateway-protocol/gateway-error-details";
import { messageOf } from "../core/errors.ts";
import { type ErrorShape, errorFrame } from "./frames.ts";
import { type RequestFrame, readRequestFrame } from "./schemas.ts";

// What clients write, and what they are told of a request that did not run as it should.

export const TOO_LATE: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "the gateway was away for longer than this request waits: it was not run",
  details: { reason: "expired" },
  retryable: true,
};

export const OUTCOME_UNKNOWN: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "the gateway ended while this ran: it may have been done, or not",
  details: { reason: "outcome-unknown" },
};

export const QUARANTINED: ErrorShape = {
  code: ErrorCodes.UNAVAILABLE,
  message: "the gateway ended more than once while this ran: it is not run again",
  details: { reason: "quarantined" },
};

/** What is not run again needs none: of config.patch they may be secrets. */
export function withoutParams(frame: RequestFrame): string {
  return JSON.stringify({ ...frame, params: undefined });
}

/** What a client is told while nothing can be written; undefined if it asked for nothing. */
export function refusalOf(text: string, error: unknown): string | undefined {
  const frame = requestIn(text);
  if (frame === undefined) return undefined;
  return errorFrame(frame.id, {
    code: ErrorCodes.UNAVAILABLE,
    message: `the gateway's journal cannot be written: ${messageOf(error)}; nothing was done, try again when there is space`,
    details: { reason: "journal-unwritable" },
    retryable: true,
  });
}

/** Of a request that is not to be read whole; as clients write it, with what it asks for at the end. */
export function beginningOf(text: string): Partial<Pick<RequestFrame, "id" | "method">> {
  const start = text.slice(0, BEGINNING);
  const id = /^\s*\{\s*"type"\s*:\s*"req"\s*,\s*"id"\s*:\s*"([^"\\]+)"/.exec(start)?.[1];
  const method = /"method"\s*:\s*"([\w.-]+)"/.exec(start)?.[1];
  return {
    ...(id === undefined ? {} : { id }),
    ...(method === undefined ? {} : { method }),
  };
}

const BEGINNING = 1_024;

export function requestIn(text: string): RequestFrame | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const frame = readRequestFrame(parsed);
  return "problem" in frame ? undefined : frame.value;
}
