import { messageOf } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { ProcessEnd } from "../core/process-end.ts";
import type { Role, RunRecord } from "../core/run-record.ts";
import { withoutSecretsIn } from "../core/secrets.ts";
import type { Host } from "../host/types.ts";
import type { Child } from "./child.ts";
import { type EvidenceDeps, keepEvidence } from "./crash-evidence.ts";
import type { NodeReport } from "./node-report.ts";
import { ProcessWatch } from "./process-watch.ts";
import type { RunLog } from "./run-log.ts";

/** Lines of the last words that stand in the run log; its crash folder has more. */
const LOGGED_LINES = 50;

export interface RunsDeps extends EvidenceDeps {
  readonly runLog: RunLog;
  readonly host: Host;
  readonly clock: Clock;
  readonly bootId: string;
  readonly log: Log;
  /** The run log has more than before. */
  readonly onChanged: () => void;
}

/** A start that is not on disk within this time is not waited for. */
const RECORD_MS = 1_000;

/** A child whose life is to be followed. */
export interface FollowedRun {
  readonly generation: number;
  readonly child: Child;
  readonly command: string;
  readonly ownGroup: boolean;
  readonly configHash?: string;
  /** Its start is on disk. */
  readonly onRecorded?: () => void;
  /** Given what watches it, as long as it lives. */
  readonly onWatch?: (watch: ProcessWatch) => void;
  /** What it was doing when it was asked, before it was ended for not answering. */
  readonly hangReport?: () => NodeReport | undefined;
}

/** Writes what happens to one process after another into the run log. */
export class Runs {
  readonly #deps: RunsDeps;
  /** Living processes that have been ready. */
  readonly #ready = new Set<string>();
  #evidence: Promise<unknown> = Promise.resolve();

  constructor(deps: RunsDeps) {
    this.#deps = deps;
  }

  /**
   * Records the start of a child, then, once it is over, its end, and, behind that, why it ended if nobody had
   * asked for it. Returns the end with its uptime.
   */
  async follow(role: Role, run: FollowedRun): Promise<{ end: ProcessEnd; uptimeMs: number }> {
    const { clock, host } = this.#deps;
    const { generation, child, command } = run;
    const startedAt = clock.now();
    const startedAtWall = clock.wall();
    let watch: ProcessWatch | undefined;
    if (child.pid !== undefined) {
      watch = new ProcessWatch(child.pid, host, () => clock.wall());
      run.onWatch?.(watch);
      const facts = await host.process(child.pid).catch(() => undefined);
      // whoever is killed now leaves behind what the next start knows of; a disk that is stuck keeps nobody
      const recorded = this.#append(role, generation, child.pid, {
        event: "start",
        startTime: facts?.startTime ?? "unknown",
        command,
        ownGroup: run.ownGroup,
        mark: child.mark,
        ...(run.configHash === undefined ? {} : { configHash: run.configHash }),
      });
      await Promise.race([recorded, new Promise((resolve) => setTimeout(resolve, RECORD_MS))]);
      run.onRecorded?.();
    }
    const end = await child.ended;
    watch?.stop();
    const wasReady = this.#ready.delete(`${role} ${generation}`);
    const uptimeMs = Math.round(clock.now() - startedAt);
    const endedAt = clock.wall();
    const { peakRssBytes, peakHeapBytes } = watch ?? {};
    this.#append(role, generation, child.pid ?? 0, {
      event: "end",
      end,
      uptimeMs,
      lastLines: child.lastLines.slice(-LOGGED_LINES),
      ...(peakRssBytes === undefined ? {} : { peakRssBytes }),
      ...(peakHeapBytes === undefined ? {} : { peakHeapBytes }),
    });
    if (end.by !== "operator") {
      const kept = this.#keepEvidence(role, run, {
        watch,
        startedAt: startedAtWall,
        endedAt,
        uptimeMs,
        end,
        wasReady,
      });
      const told = kept.catch((error) => this.#deps.log(`cannot look at the evidence: ${messageOf(error)}`));
      this.#evidence = this.#evidence.then(() => told);
    }
    return { end, uptimeMs };
  }

  /** Resolves when the evidence of every end so far is kept. */
  async settled(): Promise<void> {
    await this.#evidence;
  }

  async #keepEvidence(
    role: Role,
    run: FollowedRun,
    ended: {
      readonly watch: ProcessWatch | undefined;
      readonly startedAt: number;
      readonly endedAt: number;
      readonly uptimeMs: number;
      readonly end: ProcessEnd;
      readonly wasReady: boolean;
    },
  ): Promise<void> {
    const { generation, child, command, configHash, hangReport } = run;
    const pid = child.pid ?? 0;
    const evidence = await keepEvidence(
      {
        role,
        generation,
        child,
        command,
        configHash,
        hangReport: hangReport?.(),
        ...ended,
      },
      this.#deps,
    );
    const { cause, verdict, summary } = evidence.exit;
    const why = withoutSecretsIn(summary, this.#deps.secrets());
    this.#deps.log(`why the ${role} ended (generation ${generation}): ${why} [${cause}, ${verdict}]`);
    await this.#append(role, generation, pid, { event: "cause", ...evidence });
  }

  ready(role: Role, generation: number, pid: number): void {
    this.#ready.add(`${role} ${generation}`);
    this.#append(role, generation, pid, { event: "ready" });
  }

  /** Records the supervisor's own start or end; resolves when it is on disk. */
  async own(pid: number, body: RunBody): Promise<void> {
    await this.#append("supervisor", 0, pid, body);
  }

  async #append(role: Role, generation: number, pid: number, body: RunBody): Promise<void> {
    const { clock, bootId, runLog, log } = this.#deps;
    // what a gateway printed, or was started with, may hold a secret
    const clean = withoutSecretsIn(body, this.#deps.secrets());
    const record = {
      v: 1,
      at: new Date(clock.wall()).toISOString(),
      bootId,
      role,
      generation,
      pid,
      ...clean,
    };
    await runLog.append(record as RunRecord).catch((error) => {
      log(`cannot write the run log: ${messageOf(error)}`);
    });
    this.#deps.onChanged();
  }
}

type RunBody =
  | Omit<Extract<RunRecord, { event: "start" }>, CommonField>
  | Omit<Extract<RunRecord, { event: "ready" }>, CommonField>
  | Omit<Extract<RunRecord, { event: "end" }>, CommonField>
  | Omit<Extract<RunRecord, { event: "cause" }>, CommonField>;

type CommonField = "v" | "at" | "bootId" | "role" | "generation" | "pid";
