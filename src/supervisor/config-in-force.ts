import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config/schema.ts";

/** The config that edge and gateway run with; one that could not be read or bound never gets here. */
export class ConfigInForce {
  #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  get config(): Config {
    return this.#config;
  }

  is(config: Config): boolean {
    return isDeepStrictEqual(config, this.#config);
  }

  adopt(config: Config): void {
    this.#config = config;
  }
}
