import { createHash } from "node:crypto";
import type { Config } from "../config/schema.ts";
import type { GatewayRun, GatewayToSupervisor } from "../core/messages.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import { hasRoom } from "../policy/memory.ts";
import { takeBlockedStack } from "./blocked-stack.ts";
import type { Child } from "./child.ts";
import type { Launch, LaunchDeps } from "./launch/types.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { NodeReport } from "./node-report.ts";
import type { ProcessWatch } from "./process-watch.ts";
import type { Runs } from "./runs.ts";

export interface GatewayLifeDeps extends LaunchDeps {
  readonly runs: Runs;
  readonly host: Host;
  /** The gateway of that generation asks for a restart. Resolves when it was restarted; false if that failed. */
  readonly onRestartRequested: (generation: number, reason: string) => Promise<boolean>;
}

/** A gateway that cannot say goodbye within this time is not waited for. */
const ANNOUNCE_MS = 500;

/** One process of a gateway: `loading` → `prepared` → `open` → `released` → ended. Only the built-in one says so, and waits to be opened. */
export class GatewayLife {
  readonly child: Child;
  readonly run: GatewayRun;
  /** Resolves when it is gone and its end was written down. */
  readonly ended: Promise<{ readonly end: ProcessEnd; readonly uptimeMs: number }>;

  readonly #deps: GatewayLifeDeps;
  readonly #watchesMemory: boolean;
  readonly #open: (previousEnd: ProcessEnd | undefined) => void;
  readonly #prepared = Promise.withResolvers<void>();
  readonly #listening = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();
  readonly #recorded = Promise.withResolvers<void>();
  /** Modules that are not there, and why. */
  troubles: readonly string[] = [];
  #onAnnounced: (() => void) | undefined;
  #watch: ProcessWatch | undefined;
  #memory: MemoryWatch | undefined;
  #hangReport: NodeReport | undefined;

  constructor(launch: Launch, config: Config, generation: number, deps: GatewayLifeDeps) {
    this.#deps = deps;
    const onMessage = (message: GatewayToSupervisor) => this.#onMessage(message);
    const { child, run, command, open = () => {} } = launch({ deps, config, generation, onMessage });
    this.#open = open;
    this.#watchesMemory = config.supervisor.memoryRestart;
    this.child = child;
    this.run = run;
    this.ended = this.#follow(command, config);
  }

  get generation(): number {
    return this.run.generation;
  }

  get isRunning(): boolean {
    return this.child.isRunning;
  }

  /** Resolves when its start is on disk; never for one that could not be started. */
  get recorded(): Promise<void> {
    return this.#recorded.promise;
  }

  /** All its code is loaded. */
  get prepared(): Promise<void> {
    return this.#prepared.promise;
  }

  get listening(): Promise<void> {
    return this.#listening.promise;
  }

  /** It has nothing left to do but to end. */
  get released(): Promise<void> {
    return this.#released.promise;
  }

  /** From here on it serves; `previousEnd` is of the gateway before. */
  open(previousEnd: ProcessEnd | undefined): void {
    if (!this.isRunning) return;
    this.#open(previousEnd);
    if (!this.#watchesMemory || this.#watch === undefined) return;
    this.#memory = new MemoryWatch(this.#watch, (trouble) => this.#requestRestart(trouble));
  }

  async #follow(command: string, config: Config): Promise<{ end: ProcessEnd; uptimeMs: number }> {
    const { child, generation } = this;
    const ended = await this.#deps.runs.follow("gateway", {
      generation,
      child,
      command,
      ownGroup: true,
      configHash: hashOf(config),
      onWatch: (watch) => {
        this.#watch = watch;
      },
      onRecorded: () => this.#recorded.resolve(),
      hangReport: () => this.#takeHangReport(),
    });
    this.#memory?.stop();
    return ended;
  }

  /** Whether the memory of its cgroup is enough for another one with so many modules beside it. */
  async hasRoomBeside(modules: number): Promise<boolean> {
    return hasRoom(await this.#watch?.cgroupNow(), modules);
  }

  #onMessage(message: GatewayToSupervisor): void {
    switch (message.type) {
      case "prepared":
        return this.#prepared.resolve();
      case "listening":
        return this.#listening.resolve();
      case "released":
        return this.#released.resolve();
      case "shutdown-announced":
        return this.#onAnnounced?.();
      case "memory":
        this.#memory?.heap(message.heapUsedBytes, message.heapLimitBytes);
        return this.#watch?.noteHeap(message.heapUsedBytes);
      case "modules":
        this.troubles = message.troubles;
        return;
      case "restart-requested":
        return void this.#requestRestart(message.reason);
    }
  }

  #requestRestart(reason: string): Promise<boolean> {
    return this.#deps.onRestartRequested(this.generation, reason);
  }

  /** Resolves when its clients were told that their end is planned, or when a hung one had its chance. */
  async announceShutdown(reason: string, restartExpectedMs: number | undefined): Promise<void> {
    const announced = Promise.withResolvers<void>();
    this.#onAnnounced = announced.resolve;
    const expected = restartExpectedMs === undefined ? {} : { restartExpectedMs };
    this.child.send({ type: "announce-shutdown", reason, ...expected });
    const timer = setTimeout(announced.resolve, ANNOUNCE_MS);
    await announced.promise;
    clearTimeout(timer);
  }

  /** Keeps what it does at the moment, to tell later why it was ended. */
  async noteHang(): Promise<void> {
    this.#hangReport = await takeBlockedStack(this.child, this.#deps.host);
  }

  #takeHangReport(): NodeReport | undefined {
    const report = this.#hangReport;
    this.#hangReport = undefined;
    return report;
  }
}

/** Two configs with the same hash are the same; a hash says nothing of the secrets in it. */
function hashOf(config: Config): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 12);
}
