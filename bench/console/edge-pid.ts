import { execFileSync } from "node:child_process";
import type { Status } from "../../src/core/control.ts";
import { ENTRY } from "../relay/proxies/run-clawkit.ts";
import type { RunningServer } from "../relay/proxies/run-server.ts";

/** The edge among the processes of a ClawKit. */
export function edgePid({ folder }: RunningServer): number {
  const env = { ...process.env, CLAWKIT_STATE_DIR: folder };
  const args = [ENTRY, "gateway", "status", "--json"];
  const status = JSON.parse(execFileSync(process.execPath, args, { env, encoding: "utf8" })) as Status;
  if (status.edge.pid !== null) return status.edge.pid;
  throw new Error(`Cannot measure the edge as there is none: the state is ${status.state}`);
}
