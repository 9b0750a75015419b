import { withoutSecrets } from "./secrets.ts";

/** The lines that differ between two texts, `-` gone, `+` new; a command in them may hold a token. */
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
    lines.push(...old.slice(i, i + gone).map((line) => `- ${line.trim()}`));
    lines.push(...now.slice(j, j + added).map((line) => `+ ${line.trim()}`));
    i += gone;
    j += added;
  }
  // together: an option and its value may stand in two lines
  return lines.length === 0 ? [] : withoutSecrets(lines.join("\n")).split("\n");
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
