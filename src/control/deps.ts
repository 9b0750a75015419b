import type { Config } from "../config/schema.ts";
import type { Status } from "../core/control.ts";
import type { EdgeAnswer, EdgeQuestion } from "../core/messages.ts";
import type { Clock, Log } from "../core/ports.ts";
import type { RecorderStore } from "../recorder/store.ts";

/** What the control API needs of the process it runs in; filled by `bin/`. */
export interface ControlDeps {
  /** `alone`: no edge serves it, somebody typed `clawkit console`. */
  readonly mode: "edge" | "alone";
  readonly clock: Clock;
  readonly log: Log;
  readonly platform: NodeJS.Platform;
  /** Of the user: it is left out of what is made for others. */
  readonly home: string;
  /** Names of the variables that this was started with; their values are nobody's business. */
  readonly variables: readonly string[];
  readonly logsDir: string;
  readonly stateDir: string;
  readonly feedbackPath: string;
  readonly playbooksDir: string;
  /** The console's built pages. */
  readonly pagesDir: string;
  /** The config in force. Throws what is wrong with it. */
  readonly config: () => Promise<Config>;
  readonly status: () => Promise<Status>;
  /** Throws CONTROL_FAILED if there is no edge. */
  readonly askEdge: (question: EdgeQuestion) => Promise<EdgeAnswer>;
  readonly records: <T>(use: (store: RecorderStore) => T) => Promise<T>;
  /** Runs a command line of ours in a process of its own. */
  readonly clawkit: RunClawkit;
  /** Formats of this machine. */
  readonly time: (ms: number) => string;
  readonly duration: (ms: number) => string;
}

export type RunClawkit = (
  args: readonly string[],
  options: {
    readonly input?: Buffer;
    readonly onProgress?: (text: string) => void;
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>;
