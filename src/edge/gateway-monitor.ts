import { CLOSE } from "../core/close-codes.ts";
import type { AfterEnd, GatewayRun, GatewayState } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import { describeEnd, type ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import {
  type LivenessEvent,
  type LivenessRules,
  type LivenessState,
  NOTICE_MS,
  startLiveness,
  stepLiveness,
} from "../policy/liveness.ts";
import { sendRequest } from "./dial.ts";

/** How often a ready gateway is asked, and a starting one: clients are served within 100 ms of readiness. */
const PROBE_MS = 2_500;
const STARTING_PROBE_MS = 30;

/** A probe without an answer makes room for the next one. It never counts as life or death by itself. */
const PROBE_TIMEOUT_MS = 5_000;

const LOOK_MS = 1_000;

/** A look this much later than planned means that we ourselves were stopped. */
const STALL_MS = 1_000;

/** CPU share from which a silent gateway counts as busy. */
const BUSY_SHARE = 0.5;

/** How long the supervisor's word about an end is waited for (EXPERIMENTS.md: it came up to 706 ms after EOF). */
const WORD_MS = 1_000;

export interface GatewayMonitorDeps {
  readonly clock: Clock;
  readonly host: Host;
  readonly log: Log;
  readonly rules: LivenessRules;
  /** The state changed; the new one is in `state`. */
  readonly onState: (generation: number, state: GatewayState) => void;
  readonly onRestartNeeded: (generation: number, why: string) => void;
}

export interface Loss {
  readonly code: number;
  readonly reason: string;
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
  #lastEnd: Ended | undefined;
  #awayReason = "starting";
  readonly #ends = new Map<number, Ended>();
  readonly #waiting = new Map<number, (() => void)[]>();
  #probeTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;
  #probeAbort: AbortController | undefined;
  #lookedAt = 0;
  #cpuMs: number | undefined;
  #stopped = false;

  constructor(deps: GatewayMonitorDeps) {
    this.#deps = deps;
  }

  get run(): GatewayRun | undefined {
    return this.#run;
  }

  get state(): GatewayState {
    return this.#state;
  }

  /** Why clients are not served at the moment, for people. */
  get explanation(): string {
    if (this.#state === "hung") return "gateway does not answer";
    if (this.#lastEnd === undefined) return `gateway is ${this.#awayReason}`;
    const { end, after } = this.#lastEnd;
    if (after.kind === "refused") return `gateway ended (${describeEnd(end)}) and is not started again`;
    return `gateway is restarting (${describeEnd(end)})`;
  }

  started(run: GatewayRun): void {
    this.#run = run;
    this.#awayReason = run.pid === undefined ? "away" : "starting";
    this.#cpuMs = undefined;
    this.#lookedAt = this.#deps.clock.now();
    this.#liveness = startLiveness(this.#lookedAt);
    this.#setState("starting");
    clearInterval(this.#lookTimer);
    this.#lookTimer = setInterval(() => void this.#look(), LOOK_MS);
    this.#probe();
  }

  ended(generation: number, end: ProcessEnd, after: AfterEnd): void {
    this.#ends.set(generation, { end, after });
    if (this.#ends.size > 16) this.#ends.delete(this.#ends.keys().next().value!);
    this.#lastEnd = { end, after };
    for (const wake of this.#waiting.get(generation) ?? []) wake();
    this.#waiting.delete(generation);
    if (this.#run?.generation !== generation) return;
    this.#forgetRun();
    this.#setState("away");
  }

  /** A planned restart began: nobody is sent to this gateway any more. */
  retire(): void {
    this.#forgetRun();
    this.#setState("away");
  }

  stop(): void {
    this.#stopped = true;
    this.#forgetRun();
  }

  /** A client's handshake failed: look at once instead of waiting for the next probe. */
  doubt(): void {
    if (this.#probeAbort === undefined && this.#run !== undefined) this.#probe();
  }

  /** Says what a client of a gateway that went away without a Close frame is told; waits up to 1 s to know. */
  async explainLoss(generation: number): Promise<Loss> {
    const run = this.#run?.generation === generation ? this.#run : undefined;
    if (run !== undefined && run.pid === undefined) {
      return { code: CLOSE.serviceRestart, reason: "connection to the gateway lost" };
    }
    if (!this.#ends.has(generation)) await this.#waitForWord(generation);
    const ended = this.#ends.get(generation);
    if (ended !== undefined) return lossOf(ended);
    const facts = run?.pid === undefined ? undefined : await this.#deps.host.process(run.pid);
    if (facts !== undefined && facts.state !== "zombie") {
      return { code: CLOSE.internalError, reason: "gateway dropped this connection" };
    }
    return { code: CLOSE.serviceRestart, reason: "gateway restarting (reason not yet known), reconnect now" };
  }

  #waitForWord(generation: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WORD_MS);
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(generation, [...(this.#waiting.get(generation) ?? []), wake]);
    });
  }

  #forgetRun(): void {
    clearTimeout(this.#probeTimer);
    clearInterval(this.#lookTimer);
    this.#probeAbort?.abort();
    this.#probeAbort = undefined;
    this.#run = undefined;
    this.#liveness = undefined;
  }

  /** Any HTTP answer is life; 503 on /readyz is "alive, not ready yet". */
  #probe(): void {
    const run = this.#run;
    if (run === undefined || this.#stopped) return;
    clearTimeout(this.#probeTimer);
    const abort = new AbortController();
    this.#probeAbort = abort;
    const timeout = setTimeout(() => abort.abort(), PROBE_TIMEOUT_MS);
    const finish = (status: number | undefined) => {
      clearTimeout(timeout);
      if (this.#probeAbort !== abort) return;
      this.#probeAbort = undefined;
      if (status !== undefined) this.#step({ kind: "answered", isReady: status !== 503 });
      else if (run.pid === undefined && this.#state === "ready") this.#lostUnsupervised();
      const delay = this.#state === "starting" ? STARTING_PROBE_MS : PROBE_MS;
      this.#probeTimer = setTimeout(() => this.#probe(), delay);
    };
    const headers = run.edgeKey === undefined ? [] : ["X-Clawkit-Edge", run.edgeKey];
    const request = sendRequest(run.address, { method: "GET", path: "/readyz", headers }, abort.signal);
    request.on("response", (response) => {
      response.resume();
      response.on("error", () => undefined);
      finish(response.statusCode);
    });
    // an answer in another protocol than HTTP is not life we could use
    request.on("error", () => finish(undefined));
    request.end();
  }

  /** A gateway that nobody supervises has no one who tells us that it ended. */
  #lostUnsupervised(): void {
    this.#liveness = startLiveness(this.#deps.clock.now());
    this.#setState("starting");
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
    const isSilent = now - liveness.lastLifeAt >= NOTICE_MS / 2;
    if (!isSilent) {
      this.#cpuMs = undefined;
      return;
    }
    const facts = await this.#deps.host.process(run.pid);
    if (facts === undefined || this.#run !== run) return;
    const cpuShare = this.#cpuMs === undefined ? 0 : (facts.cpuMs - this.#cpuMs) / LOOK_MS;
    this.#cpuMs = facts.cpuMs;
    const process = facts.state === "stopped" ? "stopped" : cpuShare >= BUSY_SHARE ? "busy" : "idle";
    this.#step({ kind: "looked", process });
  }

  #step(event: LivenessEvent): void {
    const run = this.#run;
    if (run === undefined || this.#liveness === undefined) return;
    const [next, action] = stepLiveness(this.#liveness, event, this.#deps.clock.now(), this.#deps.rules);
    this.#liveness = next;
    switch (action?.kind) {
      case "ready":
        if (this.#state === "hung") this.#deps.log("gateway answers again");
        this.#setState("ready");
        return;
      case "not-ready":
        this.#setState("starting");
        return;
      case "trouble":
        this.#deps.log(
          `gateway does not answer (${action.trouble}) for ${Math.round(action.silentMs / 1000)} s: holding new clients`,
        );
        this.#setState("hung");
        return;
      case "restart":
        if (run.pid !== undefined) this.#deps.onRestartNeeded(run.generation, action.why);
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
  switch (after.kind) {
    case "restart":
      return { code: CLOSE.serviceRestart, reason: `gateway restarting (${what}), reconnect now` };
    case "refused":
      return { code: CLOSE.serviceRestart, reason: `gateway ended (${what}), it is not started again` };
    case "stopped":
      return { code: CLOSE.serviceRestart, reason: `gateway stopped (${what})` };
  }
}
