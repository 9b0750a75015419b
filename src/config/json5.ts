import { type DocumentNode, parse, type Token, tokenize } from "@humanwhocodes/momoa";

/** Strings are matched so that what looks like a comment inside of one stays. */
const STRING_OR_COMMENT =
  /"[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*'|\/\/[^\n\r\u2028\u2029]*|\/\*[\s\S]*?\*\//g;

/** The syntax tree of a JSON5 text. Throws what is wrong with it, with the line. */
export function parseTree(text: string): DocumentNode {
  // momoa calls itself once for every comment of a row: thousands of lines are too many for the stack
  return parse(withoutComments(text), { mode: "json5", allowTrailingCommas: true, ranges: true });
}

/** Its tokens, comments included. */
export function tokensOf(text: string): Token[] {
  return tokenize(text, { mode: "json5", ranges: true });
}

/** Everything else keeps its line and its column. */
function withoutComments(text: string): string {
  return text.replace(STRING_OR_COMMENT, (part) =>
    part.startsWith("/") ? part.replace(/[^\n\r\u2028\u2029]/g, " ") : part,
  );
}
