import { bindAddresses } from "../config/resolve.ts";
import type { Config } from "../config/schema.ts";
import { ClawkitError } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import { withoutSecrets } from "../core/secrets.ts";
import type { Host } from "../host/types.ts";
import { type BoundPort, bindPort } from "./bound-port.ts";
import type { TakeOver } from "./take-over.ts";

export interface ListeningDeps {
  readonly host: Host;
  readonly log: Log;
}

/** Whoever asks for a connection between two tries finds nobody there. */
const RETRY_MS = 2;

/** The system may keep a port for a moment when its owner is gone. */
const RELEASED_MS = 2_000;

/** The sockets the supervisor holds, and what they are bound to: the config may say something else by now. */
export interface Bound {
  readonly ports: readonly BoundPort[];
  readonly port: number;
  readonly bind: string;
}

/** Binds every address of the config, or none. Throws PORT_IN_USE naming the holder, or BIND_FAILED. */
export async function bindAll(config: Config, deps: ListeningDeps): Promise<Bound> {
  const bound = tryBind(config, deps.log);
  if (bound instanceof ClawkitError) throw await portInUse(config.gateway.port, bound, deps.host);
  return bound;
}

/**
 * Binds in the moment in which another gateway lets the port go; it is asked to only when nothing else stands in the way.
 * Throws BIND_FAILED before that, what `released` rejects with, and PORT_IN_USE if somebody else was faster.
 */
export async function bindAfter(
  { onWaiting, released }: TakeOver,
  config: Config,
  deps: ListeningDeps & { readonly clock: Clock },
): Promise<Bound> {
  let bound = tryBind(config, deps.log);
  let end: { at: number; error?: Error } | undefined;
  released.then(
    () => {
      end = { at: deps.clock.now() + RELEASED_MS };
    },
    (error: Error) => {
      end = { at: 0, error };
    },
  );
  onWaiting();
  while (bound instanceof ClawkitError) {
    if (end !== undefined && deps.clock.now() > end.at) {
      throw end.error ?? (await portInUse(config.gateway.port, bound, deps.host));
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    bound = tryBind(config, deps.log);
  }
  return bound;
}

/** Returns the PORT_IN_USE, throws BIND_FAILED. */
function tryBind(config: Config, log: Log): Bound | ClawkitError {
  const { bind, port, upstream } = config.gateway;
  const ports: BoundPort[] = [];
  try {
    for (const { address, isOptional } of bindAddresses(bind, upstream.type === "openclaw")) {
      try {
        ports.push(bindPort(address, port));
      } catch (error) {
        const isMissing = isOptional && error instanceof ClawkitError && error.code === "BIND_FAILED";
        if (!isMissing) throw error;
        log(`not listening on ${address}: ${error.message}`);
      }
    }
  } catch (error) {
    for (const { handle } of ports) handle.close();
    if (error instanceof ClawkitError && error.code === "PORT_IN_USE") return error;
    throw error;
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
