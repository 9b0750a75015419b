import { type ObjectNode, parse } from "@humanwhocodes/momoa";
import { nameOf, nodeAt } from "./locate.ts";

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
  return insertMember(base, node, `${quoteKey(missing[0]!)}: ${nest(missing.slice(1), literal)}`);
}

/** Returns `text` without the member at `path`, its comma included; as it is, if there is none. */
export function removeFromText(text: string, path: readonly string[]): string {
  const { node, depth } = nodeAt(text, path.slice(0, -1));
  if (depth < path.length - 1 || node.type !== "Object") return text;
  const index = node.members.findLastIndex((member) => nameOf(member.name) === path.at(-1));
  const member = node.members[index];
  if (member === undefined) return text;
  const next = node.members[index + 1];
  const previous = node.members[index - 1];
  // up to the next member; the last one goes with the comma before it
  const from = next === undefined && previous !== undefined ? previous.range![1] : member.range![0];
  const to = next === undefined ? member.range![1] : next.range![0];
  return text.slice(0, from) + text.slice(to);
}

function nest(path: readonly string[], literal: string): string {
  return path.reduceRight((inner, key) => `{ ${quoteKey(key)}: ${inner} }`, literal);
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
  const { tokens = [] } = parse(text, {
    mode: "json5",
    allowTrailingCommas: true,
    ranges: true,
    tokens: true,
  });
  const lastToken = tokens.findLast((token) => token.range![1] <= closingBrace)!;
  const contentEnd = lastToken.range![1];
  const addition = `\n${indent}  ${member},\n${indent}`;
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
