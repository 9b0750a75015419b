import { bindAddresses } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { ClawkitError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { withoutSecrets } from "../core/secrets.ts";
import type { Host } from "../host/types.ts";
import { type BoundPort, bindPort } from "./bound-port.ts";

export interface ListeningDeps {
  readonly host: Host;
  readonly log: Log;
}

/** The sockets the supervisor holds, and what they are bound to: the config may say something else by now. */
export interface Bound {
  readonly ports: readonly BoundPort[];
  readonly port: number;
  readonly bind: string;
}

/** Binds every address of the config, or none. Throws PORT_IN_USE naming the holder, or BIND_FAILED. */
export async function bindAll(config: Config, deps: ListeningDeps): Promise<Bound> {
  const { bind, port, upstream } = config.gateway;
  const ports: BoundPort[] = [];
  try {
    for (const { address, isOptional } of bindAddresses(bind, upstream.type === "openclaw")) {
      try {
        ports.push(bindPort(address, port));
      } catch (error) {
        const isMissing = isOptional && error instanceof ClawkitError && error.code === "BIND_FAILED";
        if (!isMissing) throw error;
        deps.log(`not listening on ${address}: ${error.message}`);
      }
    }
  } catch (error) {
    for (const { handle } of ports) handle.close();
    if (!(error instanceof ClawkitError) || error.code !== "PORT_IN_USE") throw error;
    throw await portInUse(port, error, deps.host);
  }
  return { ports, port, bind };
}

export function release(bound: Bound): void {
  for (const { handle } of bound.ports) handle.close();
}

/** The error that names who holds the port. */
export async function portInUse(port: number, cause: Error, host: Host): Promise<ClawkitError> {
  const [owner] = await host.portOwners(port).catch(() => []);
  const holder =
    owner?.pid === undefined
      ? "a process this user cannot see"
      : `pid ${owner.pid} (${withoutSecrets(owner.command ?? "")})`;
  return new ClawkitError(
    "PORT_IN_USE",
    `Cannot start the gateway as port ${port} is in use: held by ${holder}. ` +
      "Stop that program, or choose another port: clawkit config set gateway.port <port>",
    { cause },
  );
}
