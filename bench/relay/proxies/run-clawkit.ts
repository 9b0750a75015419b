import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningServer, runServer } from "./run-server.ts";

export const ENTRY = join(import.meta.dirname, "../../../src/bin/clawkit.ts");

export interface ClawkitOptions {
  /** Its config besides port and upstream. */
  readonly config?: { readonly gateway?: object; readonly recorder?: object };
  readonly env?: Readonly<Record<string, string>>;
  /** Puts into the state directory what is to be there before the start. */
  readonly prepare?: (folder: string) => void;
}

/** Supervisor and edge as a user runs them, in front of a gateway that they do not supervise, or with the built-in one. */
export function runClawkit(
  ports: { readonly port: number; readonly backendPort?: number },
  signal: AbortSignal,
  { config = {}, env = {}, prepare }: ClawkitOptions = {},
): Promise<RunningServer> {
  const { port, backendPort } = ports;
  return runServer({ name: "clawkit", port, signal, readyLine: "gateway ready" }, (folder) => {
    prepare?.(folder);
    const upstream = backendPort && { upstream: { type: "url", url: `ws://127.0.0.1:${backendPort}` } };
    const whole = { ...config, gateway: { ...config.gateway, port, ...upstream } };
    writeFileSync(join(folder, "config.json5"), JSON.stringify(whole), { mode: 0o600 });
    const variables = Object.entries({ ...env, CLAWKIT_STATE_DIR: folder });
    return {
      command: "env",
      args: [
        ...variables.map(([name, value]) => `${name}=${value}`),
        process.execPath,
        ENTRY,
        "gateway",
        "run",
      ],
    };
  });
}
