import { inspect } from "node:util";

/**
 * The registry of ClawKit's error codes, with the exit code a command ends with. `docs/errors.md` lists the same
 * rows; a test compares both ways. A retired code is never used again.
 */
export const errorCodes = {
  CONFIG_UNPARSABLE: { exit: 78, meaning: "the config file is not JSON5" },
  CONFIG_INVALID: { exit: 78, meaning: "the config has an unknown key or a value of the wrong type" },
  CONFIG_UNSAFE: {
    exit: 78,
    meaning: "the config would not work, or would expose the gateway without authentication",
  },
  CONFIG_UNWRITABLE: { exit: 1, meaning: "the config file could not be written" },
  PORT_IN_USE: { exit: 4, meaning: "another program listens on the gateway's port" },
  BIND_FAILED: { exit: 1, meaning: "the address cannot be bound, or not yet" },
  ALREADY_RUNNING: { exit: 1, meaning: "another supervisor owns the state directory" },
  NOT_RUNNING: { exit: 3, meaning: "no supervisor answers for the state directory" },
  GATEWAY_REFUSED: { exit: 78, meaning: "the gateway refused to start (exit 78)" },
  GATEWAY_NOT_READY: { exit: 1, meaning: "the gateway did not become ready in time" },
  OPENCLAW_NOT_FOUND: { exit: 78, meaning: "the upstream is OpenClaw, and none is installed" },
  CANNOT_ADOPT: { exit: 1, meaning: "OpenClaw, as it is installed here, cannot be put behind ClawKit" },
  STATE_UNUSABLE: { exit: 78, meaning: "the state directory cannot be used" },
  CONTROL_FAILED: { exit: 1, meaning: "the supervisor did not answer as expected" },
  CALL_FAILED: { exit: 1, meaning: "the gateway refused what it was asked, or did not answer" },
  NOTHING_RECORDED: { exit: 1, meaning: "the flight recorder has nothing, or nothing of that name" },
  SERVICE_UNAVAILABLE: {
    exit: 1,
    meaning: "no service manager can run the gateway here, or something else is in the way",
  },
  USAGE: { exit: 2, meaning: "the command line is wrong" },
} as const satisfies Record<string, { exit: number; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** An error a person is meant to read: what failed, the rule, the current value, what to do. */
export class ClawkitError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClawkitError";
    this.code = code;
  }

  get exitCode(): number {
    return errorCodes[this.code].exit;
  }
}

/** Causes beyond this depth say nothing new, and a cycle of them must end. */
const MAX_CAUSES = 5;

/** The message of anything thrown, its causes included, in one line. Never throws. */
export function messageOf(thrown: unknown, depth = 0): string {
  if (!(thrown instanceof Error))
    return typeof thrown === "string" ? thrown : inspect(thrown, { breakLength: Infinity });
  // Node's AggregateError of a failed connect to several addresses has an empty message
  const parts =
    thrown instanceof AggregateError ? thrown.errors.map((error) => messageOf(error, depth + 1)) : [];
  const own = (thrown.message || parts.join("; ") || thrown.name).replace(/\s*\n\s*/g, " ");
  if (thrown.cause === undefined || depth >= MAX_CAUSES) return own;
  return `${own} (${messageOf(thrown.cause, depth + 1)})`;
}

/** The `code` of a system error (`ENOENT`, `EADDRINUSE`, …), if it is one. */
export function systemErrorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
