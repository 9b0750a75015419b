import type { RestartPolicy } from "../../host/docker-container.ts";
import type { DockerEndpoint } from "../../host/docker-endpoint.ts";
import type { ProcessFacts } from "../../host/types.ts";
import type { Examination } from "../doctor.ts";
import type { Machine } from "../machine.ts";
import type { Risk } from "../types.ts";
import type { ComposeProject } from "./compose-project.ts";

/** How a step is taken back. */
export type UndoStep =
  /** Puts back what `copy` (in the ledger) holds; without a copy there was no file. */
  | {
      readonly kind: "restore";
      readonly path: string;
      readonly copy: string | null;
      readonly mode: number;
      /** SHA-256 of what the repair left there, null of nothing; absent while it is being made. */
      readonly written?: string | null;
    }
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  | { readonly kind: "mode"; readonly path: string; readonly mode: number }
  | { readonly kind: "run"; readonly command: readonly string[] }
  /** Makes a container of Compose anew from its file, which is as it was: `hash` is what it had then. */
  | {
      readonly kind: "recreate";
      readonly endpoint: DockerEndpoint;
      readonly project: Pick<ComposeProject, "service" | "folder" | "up">;
      readonly hash: string;
    }
  | {
      readonly kind: "restart-policy";
      readonly endpoint: DockerEndpoint;
      readonly container: string;
      readonly policy: RestartPolicy;
    };

/** What a repair would do on this machine now. */
export interface Plan {
  /** In a sentence: `set gateway.mode to "local" in /home/u/.openclaw/openclaw.json`. */
  readonly what: string;
  readonly risk: Risk;
  /** Files that `apply` replaces: they are copied first, and undo brings them back byte for byte. */
  readonly files?: readonly string[];
  /** How anything else is taken back; a start or an end of a process cannot be. */
  readonly undo?: readonly UndoStep[];
  /** What keeps the ledger itself from being written is repaired first, and written down after it. */
  readonly isRecordedAfter?: boolean;
  /** What whoever undoes it has to know. */
  readonly remember?: Readonly<Record<string, string>>;
  /** The only command that may take it back: it undoes what no file tells. */
  readonly undoneBy?: string;
  /** Lines that change, for people. */
  readonly diff?: readonly string[];
  /** Until what was started answers; without it the effect is there at once. */
  readonly settleMs?: number;
  readonly apply: () => Promise<void>;
}

/** What a repair may do; filled by the command line. */
export interface Actions {
  readonly startOwn: () => Promise<void>;
  readonly restartOwn: () => Promise<void>;
  readonly endLeftovers: () => Promise<void>;
  /** Exactly this process, and no other that got its pid since. False if it is gone. */
  readonly signal: (process: ProcessFacts, signal: NodeJS.Signals) => Promise<boolean>;
  /** Starts a program that outlives this command. */
  readonly launch: (file: string, args: readonly string[]) => Promise<void>;
}

export interface RepairContext {
  readonly machine: Machine;
  readonly examination: Examination;
  readonly actions: Actions;
}

/** One way to repair something. */
export interface Repair {
  readonly id: string;
  /** It is thought of only if one of these causes is at least likely; `any` of them for a start. */
  readonly helpsWith: readonly string[] | "any";
  /** Undefined if there is nothing for it to do here. */
  readonly plan: (context: RepairContext) => Promise<Plan | undefined>;
}
