import type { Fact } from "../types.ts";
import { isDenied, isGuessed } from "./hedged.ts";
import { plainOf } from "./plain.ts";
import { factOf, lookedAt, type TextRule } from "./text.ts";

/** Of one rule: a log repeats itself, and what is denied twenty times is not there. */
const MAX_MATCHES = 20;

/**
 * What the rules find in what a person pasted. Unlike a log file, such a text denies ("no OOM in dmesg"), guesses
 * ("maybe the firewall?") and tells in prose what happened: each fact has the weight of its line.
 */
export function readPasted(pasted: string, rules: readonly TextRule[]): Fact[] {
  const text = lookedAt(plainOf(pasted));
  const facts: Fact[] = [];
  for (const rule of rules) {
    const fact = heaviestOf(rule, text);
    if (fact !== undefined) facts.push(fact);
  }
  return facts;
}

/** From the lightest. */
const WEIGHTS = ["guessed", "told", "quoted", "logged"] as const;

function heaviestOf(rule: TextRule, text: string): Fact | undefined {
  const { id } = rule;
  const pattern = new RegExp(rule.pattern.source, `g${rule.pattern.flags}`);
  let best: Fact | undefined;
  for (let count = 0; count < MAX_MATCHES; count++) {
    const match = pattern.exec(text);
    if (match === null) break;
    if (match[0] === "") pattern.lastIndex++;
    const weight = weightOf(text, match, rule);
    if (weight === undefined) continue;
    if (best === undefined || WEIGHTS.indexOf(weight) > WEIGHTS.indexOf(best.weight!)) {
      best = { ...factOf(id, text, match), weight };
    }
    if (weight === "logged" || (rule.isTold && weight === "told")) break;
  }
  return best;
}

/** `undefined`: the line says that it is not so. */
function weightOf(
  text: string,
  match: RegExpExecArray,
  { isTold, isPlace }: TextRule,
): Fact["weight"] | undefined {
  const end = match.index + match[0].length;
  const start = text.lastIndexOf("\n", match.index) + 1;
  const stop = text.indexOf("\n", end);
  const before = text.slice(start, match.index);
  const after = text.slice(end, stop === -1 ? undefined : stop);
  const line = `${before}${match[0]}${after}`;
  if (LOGGED.some((form) => form.test(line))) return isTold ? "told" : "logged";
  if (isPlace) return "told";
  if (isDenied(before, after)) return undefined;
  if (isGuessed(before, after)) return "guessed";
  return isTold ? "told" : "quoted";
}

/** The forms of lines that programs write, and people do not. */
const LOGGED: readonly RegExp[] = [
  /^\W{0,3}\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d/, // 2026-02-03T01:52:13.791Z
  /^\W{0,3}\d\d:\d\d:\d\d/, // 08:11:22 [gateway]
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\w+\s+\d*\s*\d\d:\d\d:\d\d/,
  /^(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d+\s+\d\d:\d\d:\d\d/, // syslog
  /^\[(?:\s*\d+\.\d+|\w{3} \w{3}\s+\d+ \d\d:\d\d:\d\d \d{4})\]/, // the kernel's ring buffer
  /^\W{0,2}[\w.@-]+\[\d+\]: /, // node[812]: through systemd or syslog
  /^(?:systemd|kernel|launchd): /,
  /^\[[\w ./:-]{2,40}\]\s/, // [gateway], [ERR], [openclaw]
  /^\s+at (?:\S+ \()?(?:\w+:\/\/|node:|\/|[A-Z]:\\)\S+:\d+:\d+\)?/, // a frame of a stack
  /^(?:\w+Error|Error|FATAL ERROR|npm ERR!)\b: \S/,
  /^(?:\S+\.service: |Main process exited)/,
];
