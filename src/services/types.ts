import type { ServiceFacts } from "../host/types.ts";

/** What a service definition is made of. Nothing of it is a secret: others may read definitions. */
export interface ServiceSettings {
  /** The Node that runs it, and the script it runs: paths that outlive an upgrade where there are such. */
  readonly node: string;
  readonly entry: string;
  readonly stateDir: string;
  readonly logsDir: string;
  /** PATH of the service. */
  readonly path: string;
  /** More of its environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whose service it is: `User=` of a system unit, the account of a task. */
  readonly user: string;
  /** How long it may take until clients are served, and until it has ended (seconds). */
  readonly startSec: number;
  readonly stopSec: number;
  readonly memoryMaxBytes: number;
}

export interface DefinitionFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Windows reads what has a byte order mark as UTF-16. */
  readonly encoding: "utf8" | "utf16le";
}

export interface ServiceCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
  /** Its failure says nothing: what it should bring about may be so already. */
  readonly mayFail?: boolean;
  /** How often it is tried, a second apart. */
  readonly tries?: number;
}

/**
 * `load` makes a written definition known, and started at every boot or logon; `unload` takes that back before the
 * files are removed, `forget` what is left behind them. An empty `restart` means: stop, then start.
 */
export type ServiceVerb = "load" | "unload" | "forget" | "start" | "stop" | "restart";

/** One way to have the supervisor started and kept. Everything is a pure function of where it is and of the settings. */
export interface ServiceManager {
  readonly name: ServiceFacts["manager"];
  /** The service in the manager's words. */
  readonly service: string;
  readonly definitionPath: string;
  /** The definition first, then what it needs beside it. */
  files(settings: ServiceSettings): readonly DefinitionFile[];
  commands(verb: ServiceVerb): readonly ServiceCommand[];
  /** What a person types to read what it printed before it could write its own logs. */
  readonly logCommand: string;
}

/** What marks a definition as ours, in its first lines. */
export const MARK = "Written by clawkit gateway install";

/** The state directory stands in every definition: a gateway with another one is another installation's. */
export function isFor(definition: string, stateDir: string): boolean {
  return definition
    .split(/\r?\n/)
    .some((line) => line.trim().replace(/^(#|')\s*/, "") === stateLine(stateDir));
}

/** Safe in a comment of XML, which two hyphens would end (XML 1.0 §2.5). */
export function stateLine(stateDir: string): string {
  return `State directory: ${stateDir}`.replaceAll("--", "- -");
}
