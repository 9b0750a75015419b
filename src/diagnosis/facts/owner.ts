import type { ProcessFacts } from "../../host/types.ts";
import type { Machine } from "../machine.ts";
import { lockOwner } from "./openclaw-locks.ts";

/**
 * Whose process it is decides what may be done to it. *Ours*: our supervisor says so, or our run log does. *Family*:
 * an OpenClaw gateway. *Foreign*: anything else, whatever it calls itself.
 */
export type Owner = "ours" | "family" | "foreign";

/** An entry point of OpenClaw, or of what it was called before, in a package's own folder. */
const FAMILY_ENTRY = /[/\\](openclaw|clawdbot|moltbot)[/\\](dist[/\\]\S+|\S+\.mjs)/;

/**
 * Titles and names prove nothing. A gateway of OpenClaw is a Node process that runs an entry point of its package,
 * or (it overwrites its arguments) the process whose pid and start time its own lock names.
 */
export async function ownerOf(facts: ProcessFacts, machine: Machine): Promise<Owner> {
  const { supervisor, edge, gateway } = await machine.status();
  if ([supervisor.pid, edge.pid, gateway.pid].includes(facts.pid)) return "ours";
  if (!/[/\\]node(\.exe)?$/.test(facts.executable ?? "")) return "foreign";
  if (FAMILY_ENTRY.test(facts.command)) return "family";
  const isLockOwner = (await machine.openclawLocks()).some(
    (lock) => lock.pid === facts.pid && lock.startTime !== undefined && lockOwner(lock, [facts]) === "held",
  );
  return isLockOwner ? "family" : "foreign";
}

/** Gateways of OpenClaw that live, or are defunct. */
export async function familyOf(machine: Machine): Promise<ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  for (const facts of await machine.processes()) {
    if (!/[/\\]node(\.exe)?$/.test(facts.executable ?? "")) continue;
    if (isHelper(facts.command)) continue;
    if ((await ownerOf(facts, machine)) === "family") found.push(facts);
  }
  return found;
}

/** Helpers of a gateway, and commands that end by themselves, are no gateways. */
function isHelper(command: string): boolean {
  if (/worker\.js|openclaw-sqlite-readonly-child/.test(command)) return true;
  return FAMILY_ENTRY.test(command) && !/\bgateway( run)?( --|$)/.test(command);
}
