import type { Config } from "../config/schema.ts";
import type { Log } from "../core/ports.ts";
import type { ConfigInForce } from "./config-in-force.ts";
import type { EdgeRunner } from "./edge-runner.ts";
import { upstreamTrustsEdge } from "./edge-settings.ts";
import type { GatewayRunner } from "./gateway-runner.ts";

/** OpenClaw's own config. */
export interface OpenclawConfig {
  /** Empty if there is none. */
  readonly text: string;
  /** Whether it has OpenClaw read X-Forwarded-For from the edge. */
  readonly trustsEdge: boolean;
}

export interface ConfigWatchDeps {
  readonly edge: EdgeRunner;
  readonly gateway: GatewayRunner;
  readonly inForce: ConfigInForce;
  readonly log: Log;
  readonly readConfig: () => Promise<Config>;
  readonly readOpenclaw: () => Promise<OpenclawConfig>;
  /** Waits for a restart or stop that is under way. */
  readonly exclusively: (operation: () => Promise<void>) => Promise<void>;
}

/** Sees what is changed in config files while everything runs. */
export class ConfigWatch {
  readonly #deps: ConfigWatchDeps;
  /** OpenClaw's config, as it was when it had refused it. */
  #refusedText: string | undefined;

  constructor(deps: ConfigWatchDeps) {
    this.#deps = deps;
  }

  async look(): Promise<void> {
    await this.#retryRefused(await this.lookAtOpenclaw());
  }

  /**
   * OpenClaw reads its config again while it runs: remote clients must not go on to one that lets anybody in. Returns the
   * config's text; undefined with another upstream.
   */
  async lookAtOpenclaw(): Promise<string | undefined> {
    const { edge, inForce, readOpenclaw } = this.#deps;
    if (inForce.config.gateway.upstream.type !== "openclaw") return undefined;
    const { text, trustsEdge } = await readOpenclaw();
    edge.upstreamTrusts(upstreamTrustsEdge(inForce.config, trustsEdge));
    return text;
  }

  /** After a refusal the next change of the config, or of OpenClaw's, is worth a try. */
  async #retryRefused(openclawText: string | undefined): Promise<void> {
    const { gateway, inForce, log, readConfig, exclusively } = this.#deps;
    if (!gateway.isRefused) {
      this.#refusedText = undefined;
      return;
    }
    this.#refusedText ??= openclawText;
    const config = await readConfig().catch(() => undefined);
    if (config === undefined || (inForce.is(config) && openclawText === this.#refusedText)) return;
    this.#refusedText = openclawText;
    await exclusively(async () => {
      // whoever changed the config may have asked for a restart, too
      if (!gateway.isRefused) return;
      log("the config changed: starting the gateway that had refused");
      inForce.adopt(config);
      await gateway.start(config);
    });
  }
}
