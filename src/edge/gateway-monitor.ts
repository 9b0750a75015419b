import type { CauseId } from "../core/causes.ts";
import { CLOSE } from "../core/close-codes.ts";
import type { AfterEnd, GatewayRun, GatewayState } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { describeEnd, type ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import {
  type LivenessAction,
  type LivenessEvent,
  type LivenessRules,
  type LivenessState,
  NOTICE_MS,
  startLiveness,
  stepLiveness,
} from "../policy/liveness.ts";
import { GatewayProber, type ProbeResult } from "./gateway-prober.ts";

const LOOK_MS = 1_000;

/** A look this much later than planned means that we ourselves were stopped. */
const STALL_MS = 1_000;

/** Share of a core from which a silent gateway counts as busy; on a crowded machine a busy one gets no more. */
const BUSY_SHARE = 0.1;

/** How long the supervisor's word about an end is waited for (a trial: it came up to 706 ms after EOF). */
const WORD_MS = 1_000;

/** Ends that are remembered: links of the lives before the last two are long closed. */
const MAX_ENDS = 16;

export interface GatewayMonitorDeps {
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Log;
  readonly rules: LivenessRules;
  /** Whether its listener may go and come back while its process lives. */
  readonly restartsInPlace: boolean;
  /** Where it answers 503 as long as it takes no clients. */
  readonly readyPath: string;
  /** The state changed; the new one is in `state`. */
  readonly onState: (generation: number, state: GatewayState) => void;
  /** A gateway that should serve does not: it hangs, or it cannot be reached. */
  readonly onSilent: (generation: number, why: string) => void;
  readonly onRestartNeeded: (generation: number, why: string) => void;
}

export interface Loss {
  readonly code: number;
  readonly reason: string;
  readonly cause: CauseId;
  /** How long until it is started again, where that is known; undefined if it is not started again. */
  readonly restartInMs?: number | undefined;
}

interface Ended {
  readonly end: ProcessEnd;
  readonly after: AfterEnd;
}

/**
 * What the edge knows of the gateway: where it is, whether it serves, why the last one ended.
 * `away` → `starting` → `ready` ⇄ `hung`; `away` again when the supervisor says that it ended.
 */
export class GatewayMonitor {
  readonly #deps: GatewayMonitorDeps;
  #run: GatewayRun | undefined;
  #state: GatewayState = "away";
  #liveness: LivenessState | undefined;
  #prober: GatewayProber | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #lookedAt = 0;
  /** The last look at the process while it was silent. */
  #lastCpu: { readonly cpuMs: number; readonly at: number } | undefined;
  #restartAsked = false;
  #lastEnd: Ended | undefined;
  readonly #ends = new Map<number, Ended>();
  /** Who waits for the supervisor's word about a generation: one promise for all its links. */
  readonly #words = new Map<number, PromiseWithResolvers<void>>();

  constructor(deps: GatewayMonitorDeps) {
    this.#deps = deps;
  }

  get run(): GatewayRun | undefined {
    return this.#run;
  }

  get state(): GatewayState {
    return this.#state;
  }

  /** Whether it does not answer because it works. */
  get isBusy(): boolean {
    return this.#state === "hung" && this.#liveness?.trouble === "busy";
  }

  /** Why clients are not served at the moment, for people. */
  get explanation(): string {
    if (this.#state === "hung") return "gateway does not answer";
    if (this.#lastEnd === undefined) {
      const isRemote = this.#run !== undefined && this.#run.pid === undefined;
      return isRemote ? "gateway cannot be reached" : "gateway is starting";
    }
    const { end, after } = this.#lastEnd;
    if (after.kind === "refused") return `gateway ended (${describeEnd(end)}) and is not started again`;
    return `gateway is restarting (${describeEnd(end)})`;
  }

  /** Whether that gateway ended, and none follows. */
  isOver(generation: number): boolean {
    const ended = this.#ends.get(generation);
    return ended !== undefined && ended.after.kind !== "restart";
  }

  started(run: GatewayRun): void {
    this.#forgetRun();
    this.#run = run;
    this.#lastCpu = undefined;
    this.#restartAsked = false;
    this.#lookedAt = this.#deps.clock.now();
    this.#liveness = startLiveness(this.#lookedAt);
    this.#setState("starting");
    this.#lookTimer = setInterval(() => void this.#look(), LOOK_MS);
    this.#prober = new GatewayProber({
      run,
      path: this.#deps.readyPath,
      isReady: () => this.#state === "ready" || this.#state === "hung",
      onResult: (result) => this.#onProbed(run, result),
    });
    this.#prober.ask();
  }

  ended(generation: number, end: ProcessEnd, after: AfterEnd): void {
    this.#ends.set(generation, { end, after });
    if (this.#ends.size > MAX_ENDS) this.#ends.delete(this.#ends.keys().next().value!);
    this.#lastEnd = { end, after };
    this.#words.get(generation)?.resolve();
    this.#words.delete(generation);
    if (this.#run !== undefined && this.#run.generation !== generation) return;
    this.#forgetRun();
    this.#setState("away");
  }

  /** A planned restart began: nobody is sent to this gateway any more. */
  retire(): void {
    this.#forgetRun();
    this.#setState("away");
  }

  stop(): void {
    this.#forgetRun();
  }

  /** A client's handshake failed: look at once instead of waiting for the next probe. */
  doubt(): void {
    this.#prober?.ask();
  }

  /** Says what a client of a gateway that went away without a Close frame is told; waits up to 1 s to know. */
  async explainLoss(generation: number): Promise<Loss> {
    const run = this.#run?.generation === generation ? this.#run : undefined;
    if (run !== undefined && run.pid === undefined) {
      return {
        code: CLOSE.serviceRestart,
        reason: "connection to the gateway lost",
        cause: "gateway-dropped-connection",
      };
    }
    if (!this.#ends.has(generation)) await this.#waitForWord(generation);
    const ended = this.#ends.get(generation);
    if (ended !== undefined) return lossOf(ended);
    if (run?.pid !== undefined && (await this.#isAlive(run.pid))) {
      return {
        code: CLOSE.internalError,
        reason: "gateway dropped this connection",
        cause: "gateway-dropped-connection",
      };
    }
    const reason = "gateway restarting (reason not yet known), reconnect now";
    return { code: CLOSE.serviceRestart, reason, cause: "gateway-ended", restartInMs: 0 };
  }

  async #waitForWord(generation: number): Promise<void> {
    let word = this.#words.get(generation);
    if (word === undefined) {
      word = Promise.withResolvers();
      this.#words.set(generation, word);
    }
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, WORD_MS);
    await Promise.race([word.promise, timeout.promise]);
    clearTimeout(timer);
  }

  /** Not being able to look (a slow `ps`) is taken for "no": the client then only hears less. */
  async #isAlive(pid: number): Promise<boolean> {
    const facts = await this.#deps.host.process(pid).catch(() => undefined);
    return facts !== undefined && facts.state !== "zombie";
  }

  #forgetRun(): void {
    clearInterval(this.#lookTimer);
    this.#prober?.stop();
    this.#prober = undefined;
    this.#run = undefined;
    this.#liveness = undefined;
  }

  /** Any HTTP answer is life; 503 is "alive, not ready yet". */
  #onProbed(run: GatewayRun, result: ProbeResult): void {
    if (this.#run !== run) return;
    if (typeof result === "number") {
      this.#step({ kind: "answered", isReady: result !== 503 });
    } else if (result === "refused" && this.#deps.restartsInPlace) {
      this.#step({ kind: "refused" });
    } else if (run.pid === undefined && this.#state === "ready") {
      // nobody supervises it and would tell us that it ended
      this.#deps.onSilent(run.generation, "it cannot be reached");
      this.#liveness = startLiveness(this.#deps.clock.now());
      this.#setState("starting");
    }
  }

  async #look(): Promise<void> {
    const now = this.#deps.clock.now();
    const stalledMs = now - this.#lookedAt - LOOK_MS;
    this.#lookedAt = now;
    if (stalledMs > STALL_MS) {
      this.#step({ kind: "judge-stalled", ms: stalledMs });
      return;
    }
    const run = this.#run;
    const liveness = this.#liveness;
    if (run?.pid === undefined || liveness === undefined) return;
    if (!liveness.wasReady) {
      this.#step({ kind: "looked", process: "idle" });
      return;
    }
    if (now - liveness.lastLifeAt < NOTICE_MS / 2) {
      this.#lastCpu = undefined;
      return;
    }
    const facts = await this.#deps.host.process(run.pid).catch(() => undefined);
    if (this.#run !== run) return;
    const cpuMs = facts?.cpuMs ?? 0;
    const last = this.#lastCpu;
    const cpuShare = last === undefined ? 0 : (cpuMs - last.cpuMs) / (now - last.at);
    this.#lastCpu = { cpuMs, at: now };
    const process = facts?.state === "stopped" ? "stopped" : cpuShare >= BUSY_SHARE ? "busy" : "idle";
    this.#step({ kind: "looked", process });
  }

  #step(event: LivenessEvent): void {
    const run = this.#run;
    if (run === undefined || this.#liveness === undefined) return;
    const [next, action] = stepLiveness(this.#liveness, event, this.#deps.clock.now(), this.#deps.rules);
    this.#liveness = next;
    if (action !== undefined) this.#act(run, action);
  }

  #act(run: GatewayRun, action: LivenessAction): void {
    switch (action.kind) {
      case "ready":
        if (this.#state === "hung") this.#deps.log("gateway answers again");
        this.#setState("ready");
        return;
      case "not-ready":
        this.#setState("starting");
        return;
      case "trouble": {
        const seconds = Math.round(action.silentMs / 1000);
        const what = `it did not answer for ${seconds} s (${action.trouble})`;
        this.#deps.log(`gateway does not answer (${action.trouble}) for ${seconds} s: holding new clients`);
        this.#deps.onSilent(run.generation, what);
        this.#setState("hung");
        return;
      }
      case "restart":
        // once: a second SIGTERM means "at once" to many programs
        if (run.pid === undefined || this.#restartAsked) return;
        this.#restartAsked = true;
        this.#deps.onRestartNeeded(run.generation, action.why);
        return;
    }
  }

  #setState(state: GatewayState): void {
    if (state === "ready") this.#lastEnd = undefined;
    if (state === this.#state && state !== "starting") return;
    this.#state = state;
    this.#deps.onState(this.#run?.generation ?? 0, state);
  }
}

function lossOf({ end, after }: Ended): Loss {
  const what = describeEnd(end);
  const cause = end.by === "operator" ? "planned-restart" : "gateway-ended";
  const reasons = {
    restart: `gateway restarting (${what}), reconnect now`,
    refused: `gateway ended (${what}), it is not started again`,
    stopped: `gateway stopped (${what})`,
  };
  const restartInMs = after.kind === "restart" ? after.delayMs : undefined;
  return { code: CLOSE.serviceRestart, reason: reasons[after.kind], cause, restartInMs };
}
