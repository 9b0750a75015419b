import { randomUUID } from "node:crypto";
import { ClawkitError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import type { CliContext } from "../context.ts";
import { callGateway } from "../gateway-caller.ts";
import { type CallOptions, paramsOf, timeoutMsOf } from "./call.ts";

/** The connection waits a little longer than the node may take: the gateway says that its time is over. */
const BEYOND_MS = 5_000;
const NODE_MS = 30_000;

/** Characters of an id that tell nodes apart for a person. */
const SHOWN = 12;

interface Node {
  readonly nodeId: string;
  readonly displayName?: string;
  readonly platform?: string;
  readonly connected: boolean;
  readonly commands: readonly string[];
}

export async function nodesList(context: CliContext, { json }: { readonly json?: boolean }): Promise<number> {
  const nodes = await nodesOf(context);
  if (json) context.out.json(nodes);
  else if (nodes.length === 0) context.out.line("No nodes are paired");
  else for (const node of nodes) context.out.line(lineOf(node));
  return 0;
}

/** Asks a node, which is named by its id, the beginning of it, or its name; prints what it answers. */
export async function nodesInvoke(
  context: CliContext,
  { node: name, command }: { readonly node: string; readonly command: string },
  options: CallOptions,
): Promise<number> {
  const params = paramsOf(options);
  const timeoutMs = timeoutMsOf(options) ?? NODE_MS;
  const { nodeId } = theNode(await nodesOf(context), name);
  const request = { nodeId, command, params, timeoutMs, idempotencyKey: randomUUID() };
  const answer = await callGateway(context, "node.invoke", request, timeoutMs + BEYOND_MS);
  context.out.json((answer as { payload?: unknown }).payload ?? null);
  return 0;
}

async function nodesOf(context: CliContext): Promise<readonly Node[]> {
  return ((await callGateway(context, "node.list", {})) as { nodes: Node[] }).nodes;
}

/** A node says its name itself: it never comes before another whose id begins so. */
function theNode(nodes: readonly Node[], name: string): Node {
  if (name === "")
    throw new ClawkitError("USAGE", "Cannot choose the node by an empty name: clawkit nodes list");
  const exact = nodes.filter(({ nodeId }) => nodeId === name);
  const called = nodes.filter(({ nodeId, displayName }) => nodeId.startsWith(name) || displayName === name);
  const found = exact.length > 0 ? exact : called;
  if (found.length === 1) return found[0]!;
  const problem = found.length === 0 ? "there is no node" : `there are ${found.length} nodes`;
  throw new ClawkitError("USAGE", `Cannot choose the node as ${problem} called ${name}: clawkit nodes list`);
}

function lineOf({ nodeId, displayName, platform, connected, commands }: Node): string {
  const state = connected ? "connected" : "away";
  const about = [displayName ?? "(no name)", platform, state, commands.join(" ")];
  return `${nodeId.slice(0, SHOWN)}  ${printable(about.filter(Boolean).join("  "))}`;
}
