import { randomBytes } from "node:crypto";
import type { GatewaySettings, GatewayToSupervisor } from "../../core/messages.ts";
import { type ProcessEnd, wasKilled } from "../../core/process-end.ts";
import { Child } from "../child.ts";
import { environmentOf, type Launched, type LaunchRequest } from "./types.ts";

/**
 * The gateway that comes with ClawKit, behind a socket of its own: its journal is closed, and no socket there, until it is opened.
 */
export function launchBuiltin(request: LaunchRequest): Launched {
  const { deps, config, generation } = request;
  const path = deps.socketPathFor(generation);
  const edgeKey = randomBytes(32).toString("hex");
  const { port, auth } = config.gateway;
  const secret = auth.mode === "token" ? auth.token : auth.mode === "password" ? auth.password : undefined;
  const child = new Child({
    ...deps,
    command: deps.node,
    args: deps.builtinArgs,
    // so that the playbook's `ps aux | grep "openclaw gateway"` finds a line exactly when a gateway is there
    argv0: "openclaw gateway",
    env: environmentOf(request),
    ipc: true,
    ownGroup: true,
    onMessage: (message) => request.onMessage(message as GatewayToSupervisor),
  });
  const { modules } = config.gateway;
  const { configPath } = deps;
  child.send({ type: "prepare", settings: { modules, configPath } });
  const open = (previousEnd: ProcessEnd | undefined) => {
    const settings: GatewaySettings = {
      socketPath: path,
      port,
      auth: { mode: auth.mode, ...(secret === undefined ? {} : { secret }) },
      edgeKey,
      generation,
      isBehindKill: previousEnd !== undefined && wasKilled(previousEnd),
      journalPath: deps.journalPath,
      isDurable: config.gateway.durability === "fsync",
      configPath,
      logFile: deps.logFile,
      modules,
    };
    child.send({ type: "start", settings });
  };
  const run = {
    generation,
    address: { kind: "socket", path },
    edgeKey,
    resumes: true,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
  } as const;
  return { child, run, command: "built-in gateway", open };
}
