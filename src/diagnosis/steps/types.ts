import type { Config } from "../../config/schema.ts";
import type { LogEntry } from "../../host/log-files.ts";
import type { Words } from "../../recorder/story.ts";
import type { Fact } from "../types.ts";

/** What a step of a playbook showed on this machine. */
export interface StepAnswer {
  readonly found: readonly string[];
  /** In a sentence: what that says. */
  readonly means: string;
}

/** A line of a page that can be answered here. What it says is never executed: each has a look of our own. */
export type Step = { readonly command: RegExp } & (
  | FactStep
  | OwnStep
  | LogStep
  | ConfigStep
  | EnvironmentStep
  | ChangingStep
);

/** Answered by what the doctor finds. */
export interface FactStep {
  readonly kind: "facts";
  /** Looks that it rests on: one that could not be taken is not the same as finding nothing. */
  readonly looks: readonly string[];
  readonly tell: (facts: readonly Fact[]) => StepAnswer;
  /** Whether any of these facts says something by itself. */
  readonly isTold: (facts: readonly Fact[]) => boolean;
}

/** Answered by a command line of ours, with these arguments and `--json`. */
export interface OwnStep {
  readonly kind: "own";
  readonly args: readonly string[];
  /** Facts of the doctor that say the same in short, for whoever does not run the command line: the terminal. */
  readonly facts?: RegExp;
  /** `said` is what it printed; undefined if nothing is recorded. */
  readonly tell: (said: unknown, words: Words) => StepAnswer;
}

/** Answered by the last lines of the logs. */
export interface LogStep {
  readonly kind: "logs";
  readonly source: "all" | "gateway";
  readonly sinceMs?: number;
  readonly tell: (entries: readonly LogEntry[], words: Words) => StepAnswer;
}

/** Answered by the config in force. */
export interface ConfigStep {
  readonly kind: "config";
  /** `preset` is what there is without a line of it in the file; secrets are redacted. */
  readonly tell: (config: Config, preset: Config) => StepAnswer;
}

/** Answered by the names of variables that the gateway was started with. */
export interface EnvironmentStep {
  readonly kind: "environment";
  readonly tell: (names: readonly string[]) => StepAnswer;
}

/** It changes something: done by a command line of ours, and only by whoever asked for just that. */
export interface ChangingStep {
  readonly kind: "changes";
  readonly verb: "restart" | "start" | "stop";
}
