import { defaultConfig } from "../config/parse.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import type { Status } from "../core/control.ts";
import { readConfigSource } from "./config-file.ts";
import type { CliContext } from "./context.ts";
import { callControl } from "./control-client.ts";

/** The state as the supervisor tells it, or as it looks from outside when there is none. */
export async function currentStatus(context: CliContext): Promise<Status> {
  const status = await callControl(context.controlPath, { op: "status" }, () => undefined);
  return status ?? (await statusWithoutSupervisor(context));
}

/** Nobody of ours answers: the port is free, or it belongs to someone else. */
async function statusWithoutSupervisor(context: CliContext): Promise<Status> {
  const { port, reason } = await configuredPort(context);
  const [owner] = await context.host.portOwners(port);
  return {
    state: owner === undefined ? "stopped" : "foreign",
    port,
    url: null,
    supervisor: { pid: null, upMs: null },
    edge: { pid: null, held: 0 },
    gateway: { pid: null, state: "stopped", generation: null, upMs: null, lastExit: null, endsInARow: 0 },
    connections: 0,
    ...(owner === undefined ? {} : { portOwner: { pid: owner.pid ?? null, command: owner.command ?? null } }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function configuredPort(context: CliContext): Promise<{ port: number; reason?: string }> {
  try {
    return { port: (await readConfig(context)).gateway.port };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { port: Number(context.env.CLAWKIT_GATEWAY_PORT) || defaultConfig().gateway.port, reason };
  }
}

/** The config in force; an absent file counts as an empty one. */
export async function readConfig(context: Pick<CliContext, "paths" | "env">): Promise<Config> {
  const source = await readConfigSource(context.paths);
  if (source.text !== "") return resolveConfig(source, context.env);
  // the first start will write a token
  return resolveConfig(source, { CLAWKIT_GATEWAY_TOKEN: "not-written-yet-------", ...context.env });
}
