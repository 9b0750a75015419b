import type { Fact } from "../types.ts";

/** One thing a text may say. A rule rests on a message's own source, or on two independent reports. */
export interface TextRule {
  readonly id: string;
  readonly pattern: RegExp;
  /** A person's words: in whatever form they stand, they are no program's. */
  readonly isTold?: true;
  /** Names where it happened: what is denied of it ("not the WSL VM") says nothing against it. */
  readonly isPlace?: true;
}

/** A longer text is looked at in its first and last parts: that is where errors stand. */
const MAX_CHARS = 400_000;

/** Of a line that is quoted. */
const MAX_QUOTE = 200;

/** The parts of a text that are looked at. */
export function lookedAt(text: string): string {
  return text.length <= MAX_CHARS ? text : `${text.slice(0, MAX_CHARS / 2)}\n${text.slice(-MAX_CHARS / 2)}`;
}

/** What the rules find in a text, with the line each was found in. */
export function readText(text: string, rules: readonly TextRule[]): Fact[] {
  const looked = lookedAt(text);
  const facts: Fact[] = [];
  for (const { id, pattern } of rules) {
    const match = pattern.exec(looked);
    if (match !== null) facts.push(factOf(id, looked, match));
  }
  return facts;
}

/** A match with its line and its number. */
export function factOf(id: string, text: string, match: RegExpExecArray): Fact {
  const start = text.lastIndexOf("\n", match.index) + 1;
  const end = text.indexOf("\n", match.index + match[0].length);
  const line = text.slice(start, end === -1 ? undefined : end).trim();
  const number = text.slice(0, match.index).split("\n").length;
  const quote = line.length <= MAX_QUOTE ? line : around(line, match.index - start);
  return { id, detail: quote.replace(/\s*\n\s*/g, " / "), source: `line ${number}` };
}

function around(line: string, at: number): string {
  const from = Math.max(0, at - MAX_QUOTE / 4);
  return `${from > 0 ? "…" : ""}${line.slice(from, from + MAX_QUOTE)}…`;
}
