import { execFile } from "node:child_process";
import { ClawkitError, systemErrorCode } from "../core/errors.ts";

/** These programs print tables the system already holds, in tens of milliseconds: a slower one is stuck. */
export const COMMAND_TIME_LIMIT_MS = 2_000;

/** A netstat table of 100,000 connections, 80 bytes each. */
const MAX_OUTPUT_BYTES = 8_000_000;

export interface CommandOptions {
  /** Variables to set, or with undefined to remove, on top of our own environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly timeLimitMs?: number;
  /** For a command that does something: it is missing, or fails, and the promise rejects with what it said. */
  readonly mustSucceed?: boolean;
  /** With what it prints on standard error behind it. */
  readonly withErrors?: boolean;
  /** Ends the program: nobody waits for it any more. */
  readonly signal?: AbortSignal;
}

/**
 * What a program of this system prints. Undefined if the program is missing, or fails without printing
 * anything, as `ps` and `lsof` do when nothing matches. Rejects if it does not finish in time.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string | undefined> {
  const { environment = {}, timeLimitMs = COMMAND_TIME_LIMIT_MS, mustSucceed = false } = options;
  const { signal } = options;
  // Unlike `timeout`, this does not wait for a child that cannot die.
  const tooLong = AbortSignal.timeout(timeLimitMs);
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      {
        env: { ...process.env, ...environment },
        maxBuffer: MAX_OUTPUT_BYTES,
        signal: signal === undefined ? tooLong : AbortSignal.any([tooLong, signal]),
        windowsHide: true,
      },
      (error, stdout, stderr) => {
        if (error === null) return resolve(options.withErrors ? stdout + stderr : stdout);
        if (mustSucceed && error.name !== "AbortError") {
          const said = (stderr.trim() || stdout.trim() || error.message).replace(/\s*\n\s*/g, " ");
          return reject(new ClawkitError("CONTROL_FAILED", `${[file, ...args].join(" ")} failed: ${said}`));
        }
        if (systemErrorCode(error) === "ENOENT") return resolve(undefined);
        if (typeof error.code === "number") return resolve(stdout.trim() === "" ? undefined : stdout);
        child.kill("SIGKILL");
        const late = signal?.aborted ? "was ended, unfinished" : `did not finish within ${timeLimitMs} ms`;
        const reason = error.name === "AbortError" ? late : "failed";
        reject(new Error(`Cannot use the answer of ${file} as it ${reason}`, { cause: error }));
      },
    );
    child.stdin?.end();
  });
}
