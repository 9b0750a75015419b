import type { Config } from "../../config/schema.ts";
import { ClawkitError } from "../../core/errors.ts";
import { findOpenclaw, type OpenclawSearch } from "../../host/openclaw-command.ts";
import { prepareCommand } from "./command.ts";
import type { Launch } from "./types.ts";

export interface OpenclawUpstream {
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** Whether OpenClaw's own doctor may mend what a start was refused for. */
  readonly repairRefusals?: boolean;
}

/**
 * The contract of OpenClaw's external supervisors (docs/cli/gateway/restart-and-supervision.md of 2026.9): who sets
 * these owns its start and its stop, and OpenClaw installs and repairs no service of its own.
 */
export const EXTERNAL_SUPERVISOR = {
  OPENCLAW_SUPERVISOR_MODE: "external",
  OPENCLAW_SERVICE_REPAIR_POLICY: "external",
  OPENCLAW_NO_RESPAWN: "1",
  // with it OpenClaw starts itself anew, and the process that we know would be the wrong one
  NODE_COMPILE_CACHE: undefined,
} as const;

/** Program and leading arguments of OpenClaw's command line. Throws OPENCLAW_NOT_FOUND. */
export async function openclawCommand(
  { command }: OpenclawUpstream,
  search: OpenclawSearch,
): Promise<readonly string[]> {
  const found = command ?? (await findOpenclaw(search));
  if (found !== undefined) return found;
  throw new ClawkitError(
    "OPENCLAW_NOT_FOUND",
    "Cannot start OpenClaw as no openclaw is on the PATH: install it (npm i -g openclaw), or name it in gateway.upstream.command",
  );
}

/** What cannot be started is found out before anything is stopped. Throws OPENCLAW_NOT_FOUND. */
export async function checkUpstream({ upstream }: Config["gateway"], search: OpenclawSearch): Promise<void> {
  if (upstream.type === "openclaw") await openclawCommand(upstream, search);
}

/** The real OpenClaw, on a free loopback port: its own config goes on naming the port that the edge has now. */
export async function prepareOpenclaw(upstream: OpenclawUpstream, search: OpenclawSearch): Promise<Launch> {
  const command = await openclawCommand(upstream, search);
  const words = [...command, "gateway", "run", "--port", "{port}", "--bind", "loopback"];
  return await prepareCommand({ words: [...words, ...(upstream.args ?? [])], env: EXTERNAL_SUPERVISOR });
}
