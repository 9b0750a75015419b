/** What a client should do after a close with this code. */
export type RetryPolicy = "now" | "later" | "never";

export interface CloseCode {
  readonly code: number;
  readonly name: string;
  /** When ClawKit's own processes send it; codes we only relay say so. */
  readonly use: string;
  readonly retry: RetryPolicy;
}

/**
 * The registry of close codes ClawKit sends or knows. `docs/close-codes.md` lists the same rows; a test compares
 * both ways. Numbers: RFC 6455 §7.4 and the IANA registry.
 */
export const closeCodes = [
  { code: 1000, name: "normal", use: "relayed; the edge echoes a client's own 1000", retry: "never" },
  { code: 1001, name: "going-away", use: "towards the gateway, when its client is gone", retry: "later" },
  { code: 1002, name: "protocol-error", use: "the peer broke RFC 6455 framing", retry: "never" },
  { code: 1007, name: "invalid-data", use: "a close reason that is not UTF-8", retry: "never" },
  {
    code: 1008,
    name: "policy-violation",
    use: "refused: origin, attribution or credentials",
    retry: "never",
  },
  { code: 1009, name: "too-big", use: "a frame over the gateway's limit", retry: "never" },
  { code: 1011, name: "internal-error", use: "the living gateway dropped this one connection", retry: "now" },
  { code: 1012, name: "service-restart", use: "the gateway died, restarts or stops", retry: "now" },
  {
    code: 1013,
    name: "try-again-later",
    use: "the hold ran out, a connection limit is reached, the journal cannot be written, or a person closed it in the console",
    retry: "later",
  },
  { code: 3008, name: "timeout", use: "the client did not answer a ping", retry: "now" },
  { code: 4000, name: "client-timeout", use: "relayed; the reference client's own timeouts", retry: "now" },
  {
    code: 4001,
    name: "credentials-changed",
    use: "the client's device was removed or its token revoked; relayed: the gateway's policy changed",
    retry: "now",
  },
] as const satisfies readonly CloseCode[];

export const CLOSE = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  invalidData: 1007,
  policyViolation: 1008,
  tooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  /** Registered with IANA. */
  timeout: 3008,
  /** The real gateway's, for a client whose right to be there is gone. */
  credentialsChanged: 4001,
} as const;

/** True for a code that may stand in a Close frame (RFC 6455 §7.4.1: never 1004, 1005, 1006, 1015). */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** Bytes: a control frame carries 125 at most, two of them are the code (RFC 6455 §5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;

/** Cuts `reason` to 123 bytes of UTF-8 without cutting a character; a cut is marked with "…". */
export function fitCloseReason(reason: string): string {
  if (Buffer.byteLength(reason) <= MAX_CLOSE_REASON_BYTES) return reason;
  const ellipsis = "…";
  let kept = "";
  let bytes = Buffer.byteLength(ellipsis);
  for (const character of reason) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_CLOSE_REASON_BYTES) break;
    kept += character;
  }
  return kept + ellipsis;
}
