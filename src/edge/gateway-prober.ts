import { systemErrorCode } from "../core/errors.ts";
import type { GatewayRun } from "../core/messages.ts";
import { edgeKeyOf, sendRequest } from "./dial.ts";

/** How often a ready gateway is asked, and a starting one of ours: clients are served within 100 ms of readiness. */
const PROBE_MS = 2_500;
const STARTING_PROBE_MS = 30;

/** A gateway elsewhere may be away for long: it is asked ever less often, up to this pause. */
const MAX_REMOTE_PROBE_MS = 2_500;

/** A probe without an answer makes room for the next one. It never counts as life or death by itself. */
const PROBE_TIMEOUT_MS = 5_000;

/** A status if the gateway answered HTTP at all; `refused` if nobody listens there. */
export type ProbeResult = number | "refused" | undefined;

export interface GatewayProberOptions {
  readonly run: GatewayRun;
  /** What is asked for: 503 there means that no client is let in yet. */
  readonly path: string;
  readonly isReady: () => boolean;
  readonly onResult: (result: ProbeResult) => void;
}

/** Asks one life of the gateway whether it takes clients, again and again, until stopped. */
export class GatewayProber {
  readonly #run: GatewayRun;
  readonly #path: string;
  readonly #onResult: (result: ProbeResult) => void;
  readonly #isReady: () => boolean;
  #timer: NodeJS.Timeout | undefined;
  #abort: AbortController | undefined;
  #remotePauseMs = STARTING_PROBE_MS;
  #isStopped = false;

  constructor({ run, path, isReady, onResult }: GatewayProberOptions) {
    this.#run = run;
    this.#path = path;
    this.#isReady = isReady;
    this.#onResult = onResult;
  }

  /** Asks now, unless an answer is being waited for. */
  ask(): void {
    if (this.#isStopped || this.#abort !== undefined) return;
    clearTimeout(this.#timer);
    const abort = new AbortController();
    this.#abort = abort;
    const headers = edgeKeyOf(this.#run);
    const request = sendRequest(
      this.#run.address,
      { method: "GET", path: this.#path, headers },
      abort.signal,
    );
    const timeout = setTimeout(() => finish(undefined), PROBE_TIMEOUT_MS);
    const finish = (result: ProbeResult) => {
      clearTimeout(timeout);
      request.destroy(); // the status says enough; a body that never ends would stay for ever
      if (this.#abort !== abort) return;
      this.#abort = undefined;
      this.#onResult(result);
      this.#askLater();
    };
    request.on("response", (response) => finish(response.statusCode));
    // an answer in another protocol than HTTP is not life we could use
    request.on("error", (error) => finish(systemErrorCode(error) === "ECONNREFUSED" ? "refused" : undefined));
    request.end();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = undefined;
  }

  #askLater(): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.ask(), this.#pauseMs());
  }

  #pauseMs(): number {
    if (this.#isReady()) {
      this.#remotePauseMs = STARTING_PROBE_MS;
      return PROBE_MS;
    }
    if (this.#run.pid !== undefined) return STARTING_PROBE_MS;
    this.#remotePauseMs = Math.min(MAX_REMOTE_PROBE_MS, this.#remotePauseMs * 2);
    return this.#remotePauseMs;
  }
}
