import type { Config } from "../config/schema.ts";
import type { OpenclawSearch } from "../host/openclaw-command.ts";
import type { ConfigInForce } from "./config-in-force.ts";
import type { ControlRunner } from "./control-runner.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import type { GatewayRunner } from "./gateway-runner.ts";
import { checkUpstream } from "./launch/openclaw.ts";
import type { Ports } from "./listening.ts";

const RESTARTING = "gateway restarting, reconnect now";

/** How long a client should expect a planned restart to take; told in the `shutdown` event. */
const RESTART_EXPECTED_MS = 1_500;

export interface RestartsDeps {
  readonly edge: EdgeRunner;
  readonly gateway: GatewayRunner;
  readonly console: ControlRunner;
  readonly ports: Ports;
  readonly inForce: ConfigInForce;
  readonly openclawSearch: OpenclawSearch;
  /** Reads the config anew; throws a ClawkitError when it is broken. */
  readonly readConfig: () => Promise<Config>;
  /** With the config in force. */
  readonly startEdge: () => Promise<void>;
  /** Throws: a stop that was asked for meanwhile goes first. */
  readonly assertNotStopping: () => void;
}

type Progress = (text: string) => void;

/** The planned restarts. Whoever calls sees to it that there is one at a time. */
export class Restarts {
  readonly #deps: RestartsDeps;

  constructor(deps: RestartsDeps) {
    this.#deps = deps;
  }

  /**
   * Restarts the gateway behind the living edge; an edge that fails its own check is restarted too. `mayStay`: the process
   * may be the same one, as an OpenClaw's is that restarts by itself.
   */
  async gateway(progress: Progress, mayStay: boolean): Promise<void> {
    const { edge, gateway, inForce, assertNotStopping } = this.#deps;
    const config = await this.#readConfig();
    const { type } = config.gateway.upstream;
    if ((await edge.inspect()) === undefined && edge.isListening) {
      progress("restarting the edge, which does not answer");
      await edge.restart("it did not answer its supervisor");
    }
    const isAsked = type === "openclaw" && mayStay && inForce.is(config);
    if (isAsked) progress("asking the gateway to restart");
    // a stop that came until now found nothing to abandon
    assertNotStopping();
    if (isAsked && (await gateway.restartSafely())) return;
    const hold = async () => {
      assertNotStopping();
      progress(type === "builtin" ? "holding the clients" : "telling the clients");
      await edge.drain("gateway", { reason: RESTARTING, spreadMs: spreadOf(config), isStop: false });
    };
    if (await gateway.canHandOver(config)) {
      assertNotStopping();
      progress("preparing the next gateway");
      await gateway.handOver(config, async () => {
        await hold();
        progress("handing over to it");
        inForce.adopt(config);
      });
      return;
    }
    await hold();
    progress("stopping the gateway");
    await gateway.stop();
    assertNotStopping();
    progress("starting the gateway");
    inForce.adopt(config);
    await gateway.start(config);
  }

  /** Restarts edge and gateway with a fresh config. The port stays bound unless it changed. */
  async all(progress: Progress): Promise<void> {
    const { edge, gateway, console, ports, inForce, startEdge, assertNotStopping } = this.#deps;
    const config = await this.#readConfig();
    const move = await ports.prepareMove(config);
    progress("telling the clients");
    await gateway.announceShutdown("gateway restarting", RESTART_EXPECTED_MS);
    await edge.drain("all", { reason: RESTARTING, spreadMs: spreadOf(config), isStop: false });
    progress("stopping edge and gateway");
    await Promise.all([gateway.stop(), edge.stop(), console.retire()]);
    assertNotStopping();
    try {
      await move();
    } catch (error) {
      // back to where it was
      if (ports.all.length > 0) await startEdge();
      await gateway.start(inForce.config);
      throw error;
    }
    progress("starting edge and gateway");
    inForce.adopt(config);
    await startEdge();
    await gateway.start(config);
  }

  /** What cannot be started is found out before anything is stopped. Throws OPENCLAW_NOT_FOUND as well. */
  async #readConfig(): Promise<Config> {
    const config = await this.#deps.readConfig();
    await checkUpstream(config.gateway, this.#deps.openclawSearch);
    return config;
  }
}

/** Over so many milliseconds the clients are told, so that they do not all come back at once. */
export function spreadOf({ supervisor }: Config): number {
  return supervisor.drainSec * 1000;
}
