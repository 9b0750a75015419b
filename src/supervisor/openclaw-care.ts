import type { Log } from "../core/ports.ts";
import type { OpenclawSearch } from "../host/openclaw-command.ts";
import { type OpenclawUpstream, openclawCommand } from "./launch/openclaw.ts";
import { askToRestart, letItRepairItself, takeHandoff, type Upkeep } from "./openclaw-upkeep.ts";
import { isWithin } from "./within.ts";

export interface OpenclawCareDeps {
  readonly openclawSearch: OpenclawSearch;
  readonly log: Log;
}

/** What an OpenClaw is done or asked through its own command line, one life after the other. */
export class OpenclawCare {
  readonly #deps: OpenclawCareDeps;
  #abort = new AbortController();
  /** Whether its doctor was run since it was last ready. */
  #hasRepaired = false;

  constructor(deps: OpenclawCareDeps) {
    this.#deps = deps;
  }

  /** Ends what its commands do at the moment, and the wait for it. */
  abandon(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  /** It is ready, or somebody asked for a start. */
  begin(): void {
    this.#hasRepaired = false;
  }

  /** Has it restart by itself; resolves when it went (`left`), false if it does not within `limitMs`. Throws OPENCLAW_NOT_FOUND. */
  async restart(upstream: OpenclawUpstream, left: Promise<void>, limitMs: number): Promise<boolean> {
    const upkeep = await this.#upkeep(upstream);
    if (!(await askToRestart(upkeep))) return false;
    return await isWithin(left, limitMs, upkeep.signal);
  }

  mayRepair({ repairRefusals }: OpenclawUpstream): boolean {
    return repairRefusals === true && !this.#hasRepaired;
  }

  /** Its own doctor, once: refused again, it stays refused. */
  async repair(upstream: OpenclawUpstream): Promise<void> {
    this.#hasRepaired = true;
    const upkeep = await this.#upkeep(upstream).catch(() => undefined);
    if (upkeep !== undefined) await letItRepairItself(upkeep);
  }

  async takeHandoff(upstream: OpenclawUpstream, pid: number): Promise<void> {
    const upkeep = await this.#upkeep(upstream).catch(() => undefined);
    if (upkeep !== undefined) void takeHandoff(upkeep, pid);
  }

  async #upkeep(upstream: OpenclawUpstream): Promise<Upkeep> {
    const { openclawSearch, log } = this.#deps;
    const { signal } = this.#abort;
    return { command: await openclawCommand(upstream, openclawSearch), log, signal };
  }
}
