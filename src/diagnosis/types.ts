import type { Verdict } from "../core/causes.ts";

/** Something that is known, with where it is known from. */
export interface Fact {
  /** What is the case: `port-taken`, `said-heap-out-of-memory`. */
  readonly id: string;
  /** In a sentence or a quotation, for people. */
  readonly detail: string;
  /** A command, a file, a line of a text. */
  readonly source: string;
}

/** All of these facts together. */
export type Together = readonly string[];

/** A cause: small and declarative. Any of the groups is enough for its verdict. */
export interface Cause {
  readonly id: string;
  readonly title: string;
  readonly confirmedBy?: readonly Together[];
  readonly likelyIf?: readonly Together[];
  readonly possibleIf?: readonly Together[];
  /** Any one of these facts rules it out. */
  readonly ruledOutBy?: readonly string[];
  /** Causes that stand behind this one if they hold too: they are told first. */
  readonly because?: readonly string[];
  /** Threads of the field in which it was right (knowledge of 283): decides between equals. */
  readonly seen: number;
  readonly remedies: readonly Remedy[];
}

/** What helps. `commands` are typed by a person, per platform where they differ. */
export interface Remedy {
  readonly text: string;
  readonly commands?: readonly string[];
  readonly risk: "safe" | "disruptive" | "destructive";
}

/** What is thought of one cause, and why. */
export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict | "ruled out";
  readonly evidence: readonly Fact[];
  readonly remedies: readonly Remedy[];
}

export interface Diagnosis {
  readonly verdict: Verdict | "inconclusive";
  /** Best first; what was ruled out comes last. */
  readonly causes: readonly Finding[];
}
