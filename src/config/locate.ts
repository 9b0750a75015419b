import type { AnyNode, ObjectNode, ValueNode } from "@humanwhocodes/momoa";
import { parseTree } from "./json5.ts";

/** The line (from 1) of the value at `path` in a JSON5 text, or of the innermost part of the path that exists. */
export function locate(text: string, path: readonly string[]): number {
  return nodeAt(text, path).node.loc.start.line;
}

/** The syntax node of the value at `path`, and how many parts of the path it reaches. */
export function nodeAt(text: string, path: readonly string[]): { node: ValueNode; depth: number } {
  const document = parseTree(text);
  let node = document.body;
  for (const [depth, key] of path.entries()) {
    const member = node.type === "Object" ? memberOf(node, key) : undefined;
    if (member === undefined) return { node, depth };
    node = member.value;
  }
  return { node, depth: path.length };
}

function memberOf(object: ObjectNode, key: string) {
  // of a key that is there twice the last one counts
  return object.members.findLast((member) => nameOf(member.name) === key);
}

/** The name of a member; undefined for what is no name. */
export function nameOf(node: AnyNode): string | undefined {
  if (node.type === "String") return node.value;
  return node.type === "Identifier" ? node.name : undefined;
}
