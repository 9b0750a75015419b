import type { Config } from "../../config/schema.ts";
import type { GatewayRun, GatewayToSupervisor } from "../../core/messages.ts";
import type { SendSignal } from "../../core/ports.ts";
import type { ProcessEnd } from "../../core/process-end.ts";
import type { OpenclawSearch } from "../../host/openclaw-command.ts";
import type { Child } from "../child.ts";

/** What every way to start a gateway needs of the supervisor. */
export interface LaunchDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node and its arguments that run the built-in gateway. */
  readonly node: string;
  readonly builtinArgs: readonly string[];
  readonly socketPathFor: (generation: number) => string;
  readonly configPath: string;
  readonly journalPath: string;
  readonly logFile: string;
  readonly reportsDir: string;
  readonly clean: (line: string) => string;
  readonly sendSignal: SendSignal;
  /** Where the real OpenClaw is looked for. */
  readonly openclawSearch: OpenclawSearch;
  readonly onLine: (stream: "out" | "err" | "end", line: string) => void;
}

export interface LaunchRequest {
  readonly deps: LaunchDeps;
  readonly config: Config;
  readonly generation: number;
  readonly onMessage: (message: GatewayToSupervisor) => void;
}

/** A gateway that was started; `command` names it in the run log. */
export interface Launched {
  readonly child: Child;
  readonly run: GatewayRun;
  readonly command: string;
  /** Has it begin its work, where it waits for that; told how the gateway before ended, if this supervisor knows. */
  readonly open?: (previousEnd: ProcessEnd | undefined) => void;
}

/** The environment of a gateway. A heap limit in the command's own arguments wins over ours. */
export function environmentOf({ deps, config }: LaunchRequest): LaunchDeps["env"] {
  const { heapMb } = config.supervisor;
  if (heapMb === undefined) return deps.env;
  const options = `${deps.env.NODE_OPTIONS ?? ""} --max-old-space-size=${heapMb}`.trim();
  return { ...deps.env, NODE_OPTIONS: options };
}

/** Starts a gateway; what could fail was done before. */
export type Launch = (request: LaunchRequest) => Launched;
