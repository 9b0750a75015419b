import type { ProcessEnd } from "../../core/process-end.ts";

/** The process of a module, as its gateway sees it. */
export interface ModuleProcess {
  readonly send: (line: string) => void;
  /** Ends it at once. */
  readonly kill: () => void;
}

export interface ModuleProcessEvents {
  readonly onLine: (line: string) => void;
  /** A line of its stdout or stderr. */
  readonly onOutput: (line: string) => void;
  /** It sent what no module sends; it is being ended. */
  readonly onNonsense: (why: string) => void;
  /** Once, with everything before read. */
  readonly onEnded: (end: ProcessEnd) => void;
}

export type StartModule = (path: string, events: ModuleProcessEvents) => ModuleProcess;

/** The file descriptor over which module and gateway speak; stdout and stderr are the module's own. */
export const MODULE_PIPE = 3;

/** Megabytes of V8's heap. */
export const MODULE_HEAP_MB = 256;
