import { join } from "node:path";
import type { ProcessFacts } from "../../host/types.ts";
import type { Machine } from "../machine.ts";
import { lockOwner } from "./openclaw-locks.ts";

/**
 * Whose process it is decides what may be done to it. *Ours*: our supervisor says so, or our run log does. *Family*:
 * an OpenClaw gateway. *Foreign*: anything else, whatever it calls itself.
 */
export type Owner = "ours" | "family" | "foreign";

/** An entry point of OpenClaw, or of what it was called before, in its installed package. */
const FAMILY_ENTRY =
  /[/\\]node_modules[/\\](openclaw|clawdbot|moltbot)[/\\](dist[/\\][^\s]+|[^\s/\\]+\.mjs)$/;

const NODE = /[/\\]node(\.exe)?$/;

/**
 * Titles and names prove nothing. Ours is what our run log has the pid and the start time of. A gateway of OpenClaw
 * is a Node process whose script is an entry point of the package, or (it overwrites its arguments) the process
 * whose pid and start time its own lock names.
 */
export async function ownerOf(facts: ProcessFacts, machine: Machine): Promise<Owner> {
  if (await isOurs(facts, machine)) return "ours";
  if (!NODE.test(facts.executable ?? "")) return "foreign";
  if (FAMILY_ENTRY.test(scriptOf(facts.command))) return "family";
  return (await holdsLock(facts, machine)) ? "family" : "foreign";
}

async function isOurs({ pid, startTime }: ProcessFacts, machine: Machine): Promise<boolean> {
  const { supervisor, edge, gateway } = await machine.status();
  if ([supervisor.pid, edge.pid, gateway.pid].includes(pid)) return true;
  return (await machine.ownProcesses()).some((run) => run.pid === pid && run.startTime === startTime);
}

/** Whether a lock in OpenClaw's state folder names exactly this process: what a title cannot pretend. */
export async function holdsLock(facts: ProcessFacts, machine: Machine): Promise<boolean> {
  return (await machine.openclawLocks()).some(
    (lock) =>
      machine.openclawDirs.some((dir) => lock.path.startsWith(join(dir, "/"))) &&
      lock.startTime !== undefined &&
      lockOwner(lock, [facts]) === "held",
  );
}

/** The first argument that is no option: what Node runs. Options with a value of their own have it after a `=`. */
function scriptOf(command: string): string {
  const [, ...args] = command.trim().split(" ");
  return args.find((arg) => !arg.startsWith("-")) ?? "";
}

/** Gateways of OpenClaw that live, or are defunct. */
export async function familyOf(machine: Machine): Promise<ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  for (const facts of await machine.processes()) {
    if (!NODE.test(facts.executable ?? "")) continue;
    if (isHelper(facts.command) || isElsewhere(facts, machine)) continue;
    if ((await ownerOf(facts, machine)) === "family") found.push(facts);
  }
  return found;
}

/** A gateway that was given another port is another gateway. */
function isElsewhere({ command }: ProcessFacts, { target }: Machine): boolean {
  const port = /--port[= ](\d+)/.exec(command)?.[1];
  return port !== undefined && Number(port) !== target.port;
}

/** Helpers of a gateway, and commands that end by themselves, are no gateways. */
function isHelper(command: string): boolean {
  if (/worker\.js|openclaw-sqlite-readonly-child/.test(command)) return true;
  return FAMILY_ENTRY.test(scriptOf(command)) && !/\bgateway( run)?( --|$)/.test(command);
}
