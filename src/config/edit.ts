import type { ObjectNode } from "@humanwhocodes/momoa";
import { memberOf, nodeAt } from "./locate.ts";

/**
 * Returns `text` with the value at `path` replaced by `literal` (JSON5), comments and layout of the rest kept.
 * Missing objects on the way are added.
 */
export function setInText(text: string, path: readonly string[], literal: string): string {
  const base = text.trim() === "" ? "{\n}\n" : text;
  const { node, depth } = nodeAt(base, path);
  const [start, end] = node.range!;
  if (depth === path.length) return base.slice(0, start) + literal + base.slice(end);

  const missing = path.slice(depth);
  if (node.type !== "Object") {
    // a scalar stands where an object must: replace it
    return base.slice(0, start) + nest(missing, literal) + base.slice(end);
  }
  return insertMember(base, node, `${missing[0]}: ${nest(missing.slice(1), literal)}`);
}

/** Returns `text` without the member at `path`; the same text if it is not there. */
export function unsetInText(text: string, path: readonly string[]): string {
  const { node, depth } = nodeAt(text, path.slice(0, -1));
  const key = path.at(-1);
  if (depth !== path.length - 1 || node.type !== "Object" || key === undefined) return text;
  const member = memberOf(node, key);
  if (member === undefined) return text;
  const [start, end] = member.range!;
  const after = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0;
  return text.slice(0, start) + text.slice(end + after);
}

function nest(path: readonly string[], literal: string): string {
  return path.reduceRight((inner, key) => `{ ${key}: ${inner} }`, literal);
}

function insertMember(text: string, object: ObjectNode, member: string): string {
  const [start, end] = object.range!;
  const lineStart = text.lastIndexOf("\n", start) + 1;
  const indent = /^\s*/.exec(text.slice(lineStart))![0];
  const last = object.members.at(-1);
  if (last === undefined)
    return `${text.slice(0, start)}{\n${indent}  ${member},\n${indent}}${text.slice(end)}`;
  const [, lastEnd] = last.range!;
  const comma = /^\s*,/.exec(text.slice(lastEnd))?.[0].length ?? 0;
  // a comment behind the last member stays on its line
  const comment = comma === 0 ? 0 : /^[ \t]*(\/\/[^\n]*)?/.exec(text.slice(lastEnd + comma))![0].length;
  const at = lastEnd + comma + comment;
  return `${text.slice(0, lastEnd)}${comma === 0 ? "," : text.slice(lastEnd, at)}\n${indent}  ${member},${text.slice(at)}`;
}
