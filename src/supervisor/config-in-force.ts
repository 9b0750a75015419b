import type { Config } from "../config/schema.ts";

/** The config that edge and gateway run with; one that could not be read or bound never gets here. */
export class ConfigInForce {
  #config: Config;
  #text: string;

  constructor(config: Config) {
    this.#config = config;
    this.#text = JSON.stringify(config);
  }

  get config(): Config {
    return this.#config;
  }

  is(config: Config): boolean {
    return JSON.stringify(config) === this.#text;
  }

  adopt(config: Config): void {
    this.#config = config;
    this.#text = JSON.stringify(config);
  }
}
