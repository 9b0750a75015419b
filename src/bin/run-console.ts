import { once } from "node:events";
import type { CliContext } from "../cli/context.ts";
import { ControlServer } from "../control/server.ts";
import { controlDeps } from "./control-deps.ts";

export interface RunConsoleOptions {
  /** 0 is any free one. */
  readonly port: number;
  readonly onReady: (at: { readonly port: number; readonly code: string }) => void;
  readonly interrupted: AbortSignal;
}

/** It listens on loopback: whoever else `console.allowFrom` names does not get here. */
const LOOPBACK_ONLY = { isTls: false, isBehindEdge: false, allowFrom: [], hosts: [] };

/** Serves the console from this process until it is interrupted: for when no edge does. */
export async function runConsole(context: CliContext, options: RunConsoleOptions): Promise<void> {
  const deps = controlDeps(context, { mode: "alone", log: (text) => context.out.progress(text) });
  const server = new ControlServer(deps, { front: LOOPBACK_ONLY });
  const port = await server.listenOnLoopback(options.port);
  options.onReady({ port, code: server.issueCode() });
  if (!options.interrupted.aborted) await once(options.interrupted, "abort");
  server.stop();
}
