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
  readonly clock: Clock;
  readonly log: Log;
}

/** Whoever asks for a connection between two tries finds nobody there. */
const RETRY_MS = 2;

/** The system may keep a port for a moment when its owner is gone. */
const RELEASED_MS = 2_000;

/** The sockets that the supervisor holds for its edges. */
export class Ports {
  readonly #deps: ListeningDeps;
  #all: readonly BoundPort[] = [];
  /** What they are bound for, or are to be: another one may be in force by now. */
  #config: Config;

  /** Holds none yet. */
  constructor(config: Config, deps: ListeningDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  get all(): readonly BoundPort[] {
    return this.#all;
  }

  get port(): number {
    return this.#config.gateway.port;
  }

  /** Throws PORT_IN_USE naming the holder, or BIND_FAILED. */
  async bind(config: Config): Promise<void> {
    this.#all = await bindAll(config, this.#deps);
    this.#config = config;
  }

  /** Waits until another gateway lets the port go; throws as `bindAfter`. */
  async takeOver(takeOver: TakeOver, config: Config): Promise<void> {
    this.#all = await bindAfter(takeOver, config, this.#deps);
    this.#config = config;
  }

  /**
   * Binds what `config` asks for in two steps, so that a port that cannot be had is found out before anything is stopped. Throws as `bind`; so
   * does the second step where other addresses of the same port, which can only be tried without the old ones, cannot be had. It then has
   * those of before again, if they can be had.
   */
  async prepareMove(config: Config): Promise<() => Promise<void>> {
    const { port, bind } = config.gateway;
    const moved = port === this.port ? undefined : await bindAll(config, this.#deps);
    return async () => {
      if (moved === undefined && bind === this.#config.gateway.bind && this.#all.length > 0) return;
      this.release();
      try {
        this.#all = moved ?? (await bindAll(config, this.#deps));
        this.#config = config;
      } catch (error) {
        await this.bind(this.#config).catch(() => undefined); // the first error says what stands in the way
        throw error;
      }
    };
  }

  release(): void {
    release(this.#all);
    this.#all = [];
  }
}

/** Binds every address of the config, or none. Throws PORT_IN_USE naming the holder, or BIND_FAILED. */
async function bindAll(config: Config, deps: ListeningDeps): Promise<readonly BoundPort[]> {
  const bound = tryBind(config, deps.log);
  if (bound instanceof ClawkitError) throw await portInUse(config.gateway.port, bound, deps.host);
  return bound;
}

/**
 * Binds in the moment in which another gateway lets the port go; it is asked to only when nothing else stands in the way.
 * Throws BIND_FAILED before that, what `released` rejects with, and PORT_IN_USE if somebody else was faster.
 */
async function bindAfter(
  { onWaiting, released }: TakeOver,
  config: Config,
  deps: ListeningDeps,
): Promise<readonly BoundPort[]> {
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
function tryBind(config: Config, log: Log): readonly BoundPort[] | ClawkitError {
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
    release(ports);
    if (error instanceof ClawkitError && error.code === "PORT_IN_USE") return error;
    throw error;
  }
  return ports;
}

function release(ports: readonly BoundPort[]): void {
  for (const { handle } of ports) handle.close();
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
