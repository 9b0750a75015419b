import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ClawkitError, type ErrorCode, errorCodes } from "../core/errors.ts";
import { isOurMessage, versioned } from "../core/messages.ts";

/** What a detached supervisor says about its start, the last two once. */
export type StartReport =
  | { readonly type: "waiting" }
  | { readonly type: "taken-over" }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

/** Taking the lock, ending leftovers and binding the port is a matter of milliseconds; leftovers may take seconds. */
const START_MS = 20_000;

/** Says to the supervisor that the gateway is gone whose port it waits for. */
export const RELEASED = "released";

/** Has the gateway end that has the port; aborted when the supervisor is gone. */
export type HandOver = (signal: AbortSignal) => Promise<void>;

export interface DetachOptions {
  readonly node: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called when the supervisor waits for the port (it was told to, by its arguments). */
  readonly handOver?: HandOver;
}

/** Starts a supervisor that outlives this process; resolves once it holds lock and port, throws why not. */
export async function startDetached(options: DetachOptions): Promise<void> {
  const child = spawn(options.node, options.args, {
    argv0: "clawkit supervisor",
    env: options.env as NodeJS.ProcessEnv,
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    windowsHide: true,
  });
  const over = new AbortController();
  const exited = once(child, "exit").catch(() => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (message: string, code: ErrorCode = "CONTROL_FAILED") =>
        reject(new ClawkitError(code, message));
      const untilLate = () =>
        setTimeout(() => fail("The supervisor did not start in time: see clawkit logs"), START_MS);
      let timer = untilLate();
      child.once("error", (cause) =>
        reject(new ClawkitError("CONTROL_FAILED", "Cannot start a process", { cause })),
      );
      let failed: Extract<StartReport, { type: "failed" }> | undefined;
      // a supervisor that could not start is gone before its failure is told
      child.once("exit", (code, signal) => {
        if (failed === undefined) fail(`The supervisor ended at once (${signal ?? `exit code ${code}`})`);
        else fail(failed.message, failed.code in errorCodes ? (failed.code as ErrorCode) : "CONTROL_FAILED");
      });
      child.on("message", (message) => {
        if (!isOurMessage(message)) return;
        clearTimeout(timer);
        const report = message as unknown as StartReport;
        if (report.type === "taken-over") resolve();
        else if (report.type === "failed") failed = report;
        else
          options.handOver?.(over.signal).then(() => {
            timer = untilLate();
            if (child.connected) child.send(versioned({ type: RELEASED }));
          }, reject);
      });
    });
  } catch (error) {
    // it gives up when it hears that nobody hands over, and lets the port go
    if (options.handOver !== undefined && child.connected) {
      child.disconnect();
      await Promise.race([exited, sleep(START_MS, undefined, { ref: false })]);
    }
    throw error;
  } finally {
    over.abort();
    child.removeAllListeners();
    if (child.connected) child.disconnect();
    child.unref();
  }
}
