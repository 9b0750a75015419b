import { runCommand } from "../host/command.ts";

/** A machine that is short of memory starts programs slowly. */
const SEND_MS = 20_000;

/** Beats within the watchdog's time: two may be lost. */
const BEATS = 3;

/** Variables that systemd sets for the one process it talks with: children must not speak in its name. */
export interface NotifyVariables {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
  readonly WATCHDOG_PID?: string | undefined;
}

export interface NotifierDeps {
  readonly variables: NotifyVariables;
  readonly pid: number;
  readonly log: (text: string) => void;
  readonly run?: typeof runCommand;
}

/**
 * Tells systemd how it stands with the supervisor, sd_notify(3). Node has no Unix datagram sockets, and what npm
 * has for them is compiled on the user's machine: `systemd-notify`, which is where systemd is, costs 8 ms of CPU a
 * message, 0.03 % of a core. Does nothing where nobody asked to be notified. Never throws: a message lost is not a gateway lost.
 */
export class ServiceNotifier {
  readonly #deps: NotifierDeps;
  #tail: Promise<void> = Promise.resolve();
  #beat: NodeJS.Timeout | undefined;
  #hasFailed = false;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = deps.variables;
    const intervalMs = Number(usec) / 1000 / BEATS;
    if (!(intervalMs > 0) || (pid !== undefined && Number(pid) !== deps.pid)) return;
    // the supervisor's own loop: one that is blocked sends nothing
    this.#beat = setInterval(() => this.#send("WATCHDOG=1"), intervalMs).unref();
  }

  /** It may take this long until `ready`, whatever the unit said when it was installed. */
  starting(seconds: number): void {
    this.#send(`EXTEND_TIMEOUT_USEC=${seconds * 1e6}`);
  }

  /** Clients are served, or it is known why not: what helps then is another config, not another start. */
  ready(status: string): void {
    this.#send("READY=1", `STATUS=${status.replace(/\s*\n\s*/g, " ")}`);
  }

  /** It may take this long until the process has ended. */
  stopping(seconds: number): void {
    this.#send("STOPPING=1", `EXTEND_TIMEOUT_USEC=${seconds * 1e6}`);
  }

  end(): void {
    clearInterval(this.#beat);
  }

  #send(...assignments: string[]): void {
    const { variables, log, run = runCommand } = this.#deps;
    const { NOTIFY_SOCKET } = variables;
    if (!NOTIFY_SOCKET) return;
    const options = { environment: { NOTIFY_SOCKET }, timeLimitMs: SEND_MS, mustSucceed: true };
    this.#tail = this.#tail
      .then(() => run("systemd-notify", assignments, options))
      .then(
        () => undefined,
        (error: Error) => {
          if (!this.#hasFailed) log(`cannot tell systemd ${assignments[0]}: ${error.message}`);
          this.#hasFailed = true;
        },
      );
  }
}
