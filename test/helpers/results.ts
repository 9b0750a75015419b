import assert from "node:assert/strict";
import type { CommandResult } from "./clawkit.ts";

/** Asserts how a command ended, and shows everything it said if it ended otherwise. */
export async function exits(code: number, running: Promise<CommandResult>): Promise<CommandResult> {
  const result = await running;
  const said = `stdout:\n${result.stdout}\nstderr:\n${result.stderr}`;
  assert.equal(result.code, code, `exit code ${result.code} instead of ${code}\n${said}`);
  return result;
}

/** The one JSON value a command printed. */
export function json<T>(result: CommandResult): T {
  return JSON.parse(result.stdout) as T;
}

/** The JSON objects a command printed, one a line. */
export function jsonLines<T>(text: string): T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
