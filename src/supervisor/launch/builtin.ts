import { randomBytes } from "node:crypto";
import type { GatewayToSupervisor } from "../../core/messages.ts";
import { wasKilled } from "../../core/process-end.ts";
import { Child } from "../child.ts";
import { environmentOf, type Launched, type LaunchRequest } from "./types.ts";

/** The gateway that comes with ClawKit, behind a socket of its own. */
export function launchBuiltin(request: LaunchRequest): Launched {
  const { deps, config, generation, previousEnd } = request;
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
  child.send({
    type: "start",
    settings: {
      socketPath: path,
      port,
      auth: { mode: auth.mode, ...(secret === undefined ? {} : { secret }) },
      edgeKey,
      generation,
      isBehindKill: previousEnd !== undefined && wasKilled(previousEnd),
      journalPath: deps.journalPath,
      isDurable: config.gateway.durability === "fsync",
      configPath: deps.configPath,
      logFile: deps.logFile,
      modules: config.gateway.modules,
    },
  });
  const run = {
    generation,
    address: { kind: "socket", path },
    edgeKey,
    resumes: true,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
  } as const;
  return { child, run, command: "built-in gateway" };
}
