import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { Host } from "../host/types.ts";
import type { Child } from "./child.ts";
import type { Role, RunLog, RunRecord } from "./run-log.ts";

export interface RunsDeps {
  readonly runLog: RunLog;
  readonly host: Host;
  readonly clock: Clock;
  readonly bootId: string;
  readonly log: Log;
}

/** Writes what happens to one process after another into the run log. */
export class Runs {
  readonly #deps: RunsDeps;

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  /** Records the start of a child, then, once it is over, its end. Returns the end with its uptime. */
  async follow(
    role: Role,
    run: { generation: number; child: Child; command: string; ownGroup: boolean },
  ): Promise<{ end: ProcessEnd; uptimeMs: number }> {
    const { generation, child } = run;
    const startedAt = this.#deps.clock.now();
    if (child.pid !== undefined) {
      const facts = await this.#deps.host.process(child.pid).catch(() => undefined);
      this.#append(role, generation, child.pid, {
        event: "start",
        startTime: facts?.startTime ?? "unknown",
        command: run.command,
        ownGroup: run.ownGroup,
        mark: child.mark,
      });
    }
    const end = await child.ended;
    const uptimeMs = Math.round(this.#deps.clock.now() - startedAt);
    this.#append(role, generation, child.pid ?? 0, {
      event: "end",
      end,
      uptimeMs,
      lastLines: [...child.lastLines],
    });
    return { end, uptimeMs };
  }

  ready(role: Role, generation: number, pid: number): void {
    this.#append(role, generation, pid, { event: "ready" });
  }

  /** Records the supervisor's own start or end; resolves when it is on disk. */
  async own(pid: number, body: RunBody): Promise<void> {
    await this.#append("supervisor", 0, pid, body);
  }

  async #append(role: Role, generation: number, pid: number, body: RunBody): Promise<void> {
    const { clock, bootId, runLog, log } = this.#deps;
    const record = { v: 1, at: new Date(clock.wall()).toISOString(), bootId, role, generation, pid, ...body };
    await runLog.append(record as RunRecord).catch((error) => {
      log(`cannot write the run log: ${messageOf(error)}`);
    });
  }
}

type RunBody =
  | Omit<Extract<RunRecord, { event: "start" }>, CommonField>
  | Omit<Extract<RunRecord, { event: "ready" }>, CommonField>
  | Omit<Extract<RunRecord, { event: "end" }>, CommonField>;

type CommonField = "v" | "at" | "bootId" | "role" | "generation" | "pid";
