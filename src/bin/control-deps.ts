import { spawn } from "node:child_process";
import type { CliContext } from "../cli/context.ts";
import { askEdge } from "../cli/control-client.ts";
import { withRecords, words } from "../cli/recorded.ts";
import { readConfig, statusToLookAt } from "../cli/running.ts";
import type { ControlDeps, RunClawkit } from "../control/deps.ts";
import { pagesDir } from "./entries.ts";

/** What a command line of ours prints at most; a doctor's report is some hundred kilobytes. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024;

/** Longer than the slowest repair waits for what it started. */
const COMMAND_MS = 10 * 60_000;

/** Fills the control API's needs from this process. */
export function controlDeps(
  context: CliContext,
  { mode, log }: Pick<ControlDeps, "mode" | "log">,
): ControlDeps {
  return {
    mode,
    log,
    clock: context.clock,
    platform: context.platform,
    home: context.home,
    variables: Object.keys(context.env),
    logsDir: context.paths.logsDir,
    stateDir: context.paths.stateDir,
    feedbackPath: context.paths.feedback,
    playbooksDir: context.playbooksDir,
    pagesDir: pagesDir(),
    config: () => readConfig(context),
    status: () => statusToLookAt(context),
    askEdge: (question) => askEdge(context.controlPath, question),
    records: (use) => withRecords(context, use),
    clawkit: runClawkit(context),
    ...words,
  };
}

function runClawkit({ ownTarget, env }: CliContext): RunClawkit {
  // what a repair starts is not ours: it must outlive us
  const { CLAWKIT_RUN: _, ...environment } = env;
  return (args, { input, onProgress, signal }) =>
    new Promise((resolve, reject) => {
      const child = spawn(ownTarget.node, [ownTarget.entry, ...args], {
        env: environment,
        stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        windowsHide: true,
        signal: AbortSignal.any([signal, AbortSignal.timeout(COMMAND_MS)]),
      });
      const stdout: Buffer[] = [];
      let bytes = 0;
      let stderr = "";
      child.stdout!.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= MAX_OUTPUT_BYTES) stdout.push(chunk);
      });
      child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
        stderr = (stderr + chunk).slice(-MAX_ERRORS);
        for (const line of chunk.split("\n")) if (line.trim() !== "") onProgress?.(line.trim());
      });
      child.stdin?.on("error", () => undefined); // it ended before it had read everything: its exit says why
      child.stdin?.end(input);
      child.once("error", reject);
      child.once("close", (exitCode) => {
        resolve({ exitCode, stdout: Buffer.concat(stdout).toString(), stderr });
      });
    });
}

const MAX_ERRORS = 64 * 1024;
