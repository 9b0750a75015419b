import type { Caller, Scope } from "../../module/index.ts";

/** As long as the reference client waits; and what nobody waits for with a connection open. */
export const DEFAULT_TIMEOUT_MS = 30_000;
export const MAX_TIMEOUT_MS = 600_000;

/** Characters of an answer. It is written to the journal in one commit, and all other clients wait for that. */
export const MAX_RESULT = 8 * 1024 * 1024;

/** Characters of a sentence about what went wrong. */
export const MAX_TEXT = 4_000;

/** A method as its module declares it. */
export interface Declared {
  readonly name: string;
  readonly scope: Scope;
  readonly external: boolean;
  readonly timeoutMs: number;
}

/** To the module's process: a line of JSON each; `call` is followed by a tab and its parameters, which nothing on the way parses. */
export type ToModule =
  | { readonly type: "call"; readonly id: number; readonly method: string; readonly caller: Caller }
  /** Its time is over. */
  | { readonly type: "abort"; readonly id: number };

/** From it; `done` is followed by a tab and the answer. */
export type FromModule =
  | { readonly type: "loaded"; readonly methods: readonly Declared[] }
  | { readonly type: "not-loaded"; readonly why: string; readonly stack: string }
  /** So it does not hang. */
  | { readonly type: "aborted"; readonly id: number }
  | { readonly type: "done"; readonly id: number }
  | {
      readonly type: "error";
      readonly id: number;
      /** `params`: they do not fit; `refused`: the method's own words for the client; `failed`: words for the log. */
      readonly kind: "params" | "refused" | "failed" | "too-large";
      readonly text: string;
    }
  /** What ends it, as it comes to that. */
  | { readonly type: "last-words"; readonly text: string };

/** A line: what it is, and what belongs to it as it stands. JSON writes no tab of its own. */
export function encodeLine(message: ToModule | FromModule, body?: string): string {
  return body === undefined ? `${JSON.stringify(message)}\n` : `${JSON.stringify(message)}\t${body}\n`;
}

/** Throws for what is no such line. */
export function decodeLine<Message>(line: string): { message: Message; body: string } {
  const tab = line.indexOf("\t");
  const head = tab === -1 ? line : line.slice(0, tab);
  return { message: JSON.parse(head) as Message, body: tab === -1 ? "" : line.slice(tab + 1) };
}
