import type { StatePaths } from "../config/paths.ts";
import type { Clock, SendSignal } from "../core/ports.ts";
import type { OpenclawSearch } from "../host/openclaw-command.ts";
import type { Host } from "../host/types.ts";
import type { HandOver } from "../supervisor/detach.ts";
import type { Output } from "./output/output.ts";

/** What the command line needs of the process it runs in; filled by `bin/`. */
export interface CliContext {
  /** The name it was called by: as `openclaw` it says that it is ClawKit. */
  readonly name: "clawkit" | "openclaw";
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly userName: string;
  /** Absent on Windows. */
  readonly uid: number | undefined;
  /** Of this command. */
  readonly pid: number;
  readonly paths: StatePaths;
  readonly controlPath: string;
  readonly host: Host;
  readonly clock: Clock;
  readonly out: Output;
  readonly fetch: typeof fetch;
  readonly stdin: NodeJS.ReadStream;
  /** Asks a person at the terminal; only an answer that begins with y is a yes. */
  readonly ask: (question: string) => Promise<boolean>;
  /** The folder with the playbooks, one `<close code>.md` each. */
  readonly playbooksDir: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Runs the supervisor in this process until it ends; prints what is logged, or events. Resolves with the exit code. */
  readonly runSupervisor: (output: "lines" | "events") => Promise<number>;
  /** Serves the console from this process until it is interrupted; `onReady` is given port and one-time code. */
  readonly runConsole: (
    port: number,
    onReady: (at: { readonly port: number; readonly code: string }) => void,
  ) => Promise<void>;
  /**
   * Starts a supervisor of its own session; resolves when it took over, throws why it could not. `handOver` is called when
   * it waits for a port that another gateway has, and resolves when that one is gone.
   */
  readonly startSupervisor: (handOver?: HandOver) => Promise<void>;
  /** The pid of the supervisor that holds the lock, if it lives. */
  readonly supervisorPid: () => Promise<number | undefined>;
  readonly sendSignal: SendSignal;
  /** Starts a program in the background that outlives this command. */
  readonly launch: (file: string, args: readonly string[]) => Promise<void>;
  /** Ends processes of ours that a killed supervisor left behind; does nothing while one lives. */
  readonly endLeftovers: () => Promise<void>;
  /** Runs the demonstration's servers and clients; see `demo`. */
  readonly runDemo: (progress: (text: string) => void) => Promise<DemoRow[]>;
  /** The command line that runs this ClawKit. */
  readonly ownTarget: { readonly node: string; readonly entry: string };
  /** The command line that the script of the `openclaw` alias runs. */
  readonly aliasTarget: { readonly node: string; readonly entry: string };
  /** This command line, for scripts. */
  readonly self: { readonly node: string; readonly entry: string };
  /** Where the real OpenClaw is looked for. */
  readonly openclawSearch: OpenclawSearch;
}

export interface DemoRow {
  readonly server: string;
  readonly clients: number;
  /** What the clients saw, most frequent first. */
  readonly saw: string;
  readonly servedAgain: string;
}
