import type { ObjectNode } from "@humanwhocodes/momoa";
import { tokensOf } from "./json5.ts";
import { nameOf, nodeAt } from "./locate.ts";

/**
 * Returns `text` with the value at `path` replaced by `literal` (JSON5), comments and layout of the rest kept.
 * Missing objects on the way are added. What was plain JSON stays it, if `literal` is: others may read it as that.
 */
export function setInText(text: string, path: readonly string[], literal: string): string {
  const base = text.trim() === "" ? "{\n}\n" : text;
  const { node, depth } = nodeAt(base, path);
  const [start, end] = node.range!;
  if (depth === path.length) return base.slice(0, start) + literal + base.slice(end);

  const missing = path.slice(depth);
  const isPlain = base.includes('"') && isJson(base); // an object without a key says nothing of it
  const quote = isPlain ? (key: string) => JSON.stringify(key) : quoteKey;
  const nest = (keys: readonly string[]) =>
    keys.reduceRight((inner, key) => `{ ${quote(key)}: ${inner} }`, literal);
  if (node.type !== "Object") {
    // a scalar stands where an object must: replace it
    return base.slice(0, start) + nest(missing) + base.slice(end);
  }
  const member = `${quote(missing[0]!)}: ${nest(missing.slice(1))}`;
  return insertMember(base, node, isPlain ? member : `${member},`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns `text` without the member at `path`, with its comma and the comment behind it; everything else, comments
 * of its neighbours included, stays. As it is, if there is no such member.
 */
export function removeFromText(text: string, path: readonly string[]): string {
  let rest = text;
  while (true) {
    const { node, depth } = nodeAt(rest, path.slice(0, -1));
    if (depth < path.length - 1 || node.type !== "Object") return rest;
    const member = node.members.find(({ name }) => nameOf(name) === path.at(-1));
    if (member === undefined) return rest;
    rest = withoutMember(rest, member.range![0], member.range![1]); // a key may be there twice
  }
}

function withoutMember(text: string, start: number, end: number): string {
  const tokens = tokensOf(text).filter(({ type }) => type !== "LineComment" && type !== "BlockComment");
  const next = tokens.find(({ range }) => range![0] >= end);
  if (next?.type === "Comma") return cutLine(text, start, next.range![1]);
  // the last one: the comma before it goes
  const previous = tokens.findLast(({ range }) => range![1] <= start);
  const rest = cutLine(text, start, end);
  if (previous?.type !== "Comma") return rest;
  const [from, to] = previous.range!;
  return rest.slice(0, from) + rest.slice(to);
}

/** Cuts a span with the comment behind it; if nothing else stands on its lines, those lines too. */
function cutLine(text: string, start: number, end: number): string {
  const behind = /^[ \t]*(?:\/\/[^\n]*|\/\*[^\n]*?\*\/[ \t]*(?=\n))?/.exec(text.slice(end))![0];
  const cutEnd = end + behind.length;
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const isAlone = text.slice(lineStart, start).trim() === "" && text[cutEnd] === "\n" && lineStart > 0;
  return isAlone
    ? text.slice(0, lineStart) + text.slice(cutEnd + 1)
    : text.slice(0, start) + text.slice(cutEnd);
}

function quoteKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}

/** Adds a member behind the last one and behind every comment, which stay where they are. */
function insertMember(text: string, object: ObjectNode, member: string): string {
  const [start, end] = object.range!;
  const closingBrace = end - 1;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const indent = /^\s*/.exec(text.slice(lineStart))![0];
  const tokens = tokensOf(text);
  const lastToken = tokens.findLast((token) => token.range![1] <= closingBrace)!;
  const contentEnd = lastToken.range![1];
  const addition = `\n${indent}  ${member}\n${indent}`;
  const lastMember = object.members.at(-1);
  if (lastMember === undefined) return text.slice(0, contentEnd) + addition + text.slice(closingBrace);
  const [, memberEnd] = lastMember.range!;
  const hasComma = tokens.some(
    (token) => token.type === "Comma" && token.range![0] >= memberEnd && token.range![1] <= closingBrace,
  );
  const comma = hasComma ? "" : ",";
  return (
    text.slice(0, memberEnd) + comma + text.slice(memberEnd, contentEnd) + addition + text.slice(closingBrace)
  );
}
