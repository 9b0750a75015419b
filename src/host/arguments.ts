/**
 * The arguments of a command line, as a C program gets them: quotes keep blanks together, and a backslash means
 * something before a quote only (learn.microsoft.com, "Parsing C command-line arguments").
 */
export function parseArguments(line: string): string[] {
  const found: string[] = [];
  let current: string | undefined;
  let isQuoted = false;
  for (const [part, slashes = "", quote = ""] of line.matchAll(/(\\*)(")|\s+|\\+|[^\\"\s]+/g)) {
    if (quote !== "") {
      const isLiteral = slashes.length % 2 === 1;
      current = (current ?? "") + "\\".repeat(slashes.length / 2) + (isLiteral ? quote : "");
      if (!isLiteral) isQuoted = !isQuoted;
    } else if (part.trim() === "" && !isQuoted) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current = (current ?? "") + part;
  }
  return current === undefined ? found : [...found, current];
}
