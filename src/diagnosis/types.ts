import type { Verdict } from "../core/causes.ts";

/** Something that is known, with where it is known from. */
export interface Fact {
  /** What is the case: `port-taken`, `said-heap-out-of-memory`. */
  readonly id: string;
  /** In a sentence or a quotation, for people. */
  readonly detail: string;
  /** A command, a file, a line of a text. */
  readonly source: string;
  /** When it was so (ISO 8601), if that was not now. */
  readonly at?: string;
  /** What stands for `{container}` and the like in commands that a person is given. */
  readonly names?: Readonly<Record<string, string>>;
  /** Only of what a person pasted: a program's line, its words in prose, a person's words, or a guess. */
  readonly weight?: "logged" | "quoted" | "told" | "guessed";
}

/** What could not be looked at: that is not the same as finding nothing. */
export interface NotLooked {
  readonly id: string;
  readonly what: string;
  readonly why: string;
}

/** All of these facts together. The first is the one that tells something by itself. */
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
  /** Versions of OpenClaw that are known for it, both ends included, with the thread that says so. */
  readonly knownBad?: readonly { readonly from: string; readonly to: string; readonly issue: string }[];
  /** Threads of the field in which it was right (knowledge of 283): decides between equals. */
  readonly seen: number;
  readonly remedies: readonly Remedy[];
}

/**
 * `safe`: nothing is lost, nobody is disturbed; `disruptive`: asked first; `destructive`: never without a
 * person's own yes to it, as it cannot be undone.
 */
export type Risk = "safe" | "disruptive" | "destructive";

/** What helps. `commands` are typed by a person, per platform where they differ; `{port}` and the like are filled in (`place.ts`). */
export interface Remedy {
  readonly text: string;
  readonly commands?: readonly string[];
  readonly risk: Risk;
}

/** What is thought of one cause, and why. */
export interface Finding {
  readonly id: string;
  readonly title: string;
  readonly verdict: Verdict | "ruled out";
  readonly evidence: readonly Fact[];
  readonly remedies: readonly Remedy[];
  /** How much speaks for the verdict: the facts, each with its weight. Decides between causes of one verdict. */
  readonly strength?: number;
  /** How often it was right on this machine, less how often not, by the answers to the playbooks' question; not 0. */
  readonly seenHere?: number;
}

export interface Diagnosis {
  /** `healthy` is only said of a machine, never of a text. */
  readonly verdict: Verdict | "inconclusive" | "healthy";
  /** Best first; what was ruled out comes last. */
  readonly causes: readonly Finding[];
}
