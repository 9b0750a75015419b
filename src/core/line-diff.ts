import { withoutSecrets } from "./secrets.ts";

/**
 * What differs between two texts, `-` gone, `+` new. Of a line that was changed only its key and the words that differ:
 * beside them may stand a token.
 */
export function lineDiff(before: string, after: string): string[] {
  const [old, now] = [before.split(/\r?\n/), after.split(/\r?\n/)];
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (old[i] === now[j] && i < old.length && j < now.length) {
      i++;
      j++;
      continue;
    }
    // to the next line that both have: edits are few and small
    const [gone, added] = nextCommon(old.slice(i), now.slice(j));
    lines.push(...changed(old.slice(i, i + gone), now.slice(j, j + added)));
    i += gone;
    j += added;
  }
  // together: an option and its value may stand in two lines
  return lines.length === 0 ? [] : withoutSecrets(lines.join("\n")).split("\n");
}

function changed(gone: readonly string[], added: readonly string[]): string[] {
  const pairs =
    gone.length === added.length
      ? gone.map((line, index) => changedWords(withoutSecrets(line), withoutSecrets(added[index]!)))
      : [];
  if (pairs.length > 0) {
    return [
      ...pairs.flatMap(([word]) => (word === undefined ? [] : [`- ${word}`])),
      ...pairs.flatMap(([, word]) => (word === undefined ? [] : [`+ ${word}`])),
    ];
  }
  return [...gone.map((line) => `- ${line.trim()}`), ...added.map((line) => `+ ${line.trim()}`)];
}

/** What a key, a list's dash or a variable's name is in front of. */
const KEY = /^\s*(?:- *)?(?:[\w.-]+ *:(?=\s|$)|[A-Za-z_]\w*=)?\s*/;
const EDGE = /[\s,[\]{}]/;

/** The words that one line has and the other has not, each behind the line's key; undefined if it has none. */
function changedWords(old: string, now: string): [string | undefined, string | undefined] {
  const key = KEY.exec(old)![0];
  if (!now.startsWith(key)) return [old.trim(), now.trim()];
  let start = key.length;
  for (let at = start; at < Math.min(old.length, now.length) && old[at] === now[at]; at++) {
    if (EDGE.test(old[at]!)) start = at + 1;
  }
  let end = 0;
  const most = Math.min(old.length, now.length) - start;
  for (let count = 0; count <= most; count++) {
    const [a, b] = [old[old.length - count], now[now.length - count]];
    if (count > 0 && a !== b) break;
    if (count === 0 || EDGE.test(a!)) end = count;
  }
  const left = start > key.length ? "… " : "";
  const right = end > 0 ? " …" : "";
  const shown = (line: string) => {
    const words = line.slice(start, line.length - end).trim();
    return words === "" ? undefined : `${key.trimStart()}${left}${words}${right}`;
  };
  return [shown(old), shown(now)];
}

/** How many lines of each come before one that both have, as few as can be. */
function nextCommon(old: readonly string[], now: readonly string[]): [gone: number, added: number] {
  for (let sum = 1; sum <= old.length + now.length; sum++) {
    for (let gone = 0; gone <= Math.min(sum, old.length); gone++) {
      const added = sum - gone;
      if (added > now.length) continue;
      const isEnd = gone === old.length && added === now.length;
      if (isEnd || (gone < old.length && old[gone] === now[added])) return [gone, added];
    }
  }
  return [old.length, now.length];
}
