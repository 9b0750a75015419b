import { stat } from "node:fs/promises";
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

const NODE = /[/\\]node(\.exe)?$/i;

/** Words that a path with blanks is looked for in. */
const MAX_WORDS = 12;

/**
 * Titles and names prove nothing. Ours is what our run log has the pid and the start time of. A gateway of OpenClaw
 * is a Node process whose script is an entry point of the package, or (it overwrites its arguments) the process
 * whose pid and start time its own lock names.
 */
export async function ownerOf(facts: ProcessFacts, machine: Machine): Promise<Owner> {
  if (await isOurs(facts, machine)) return "ours";
  if (!NODE.test(facts.executable ?? "")) return "foreign";
  if (FAMILY_ENTRY.test(await scriptOf(facts))) return "family";
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
async function scriptOf({ args, executable, command }: ProcessFacts): Promise<string> {
  if (args !== undefined) return args.slice(1).find((arg) => !arg.startsWith("-")) ?? "";
  const text = command.trim();
  const isNamed = executable !== undefined && text.startsWith(`${executable} `);
  const words = (isNamed ? text.slice(executable.length + 1) : text.replace(/^\S+ ?/, "")).split(" ");
  const rest = words.slice(words.findIndex((word) => !word.startsWith("-")));
  // macOS shows no ends of arguments: a path with blanks goes on until there is such a file
  for (let count = 1; count <= Math.min(rest.length, MAX_WORDS); count++) {
    const path = rest.slice(0, count).join(" ");
    if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  }
  return rest[0] ?? "";
}

/** Gateways of OpenClaw that live, or are defunct. */
export async function familyOf(machine: Machine): Promise<ProcessFacts[]> {
  const found: ProcessFacts[] = [];
  for (const facts of await machine.processes()) {
    if (!NODE.test(facts.executable ?? "")) continue;
    if (isElsewhere(facts, machine) || (await isHelper(facts))) continue;
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
async function isHelper(facts: ProcessFacts): Promise<boolean> {
  const { command } = facts;
  if (/worker\.js|openclaw-sqlite-readonly-child/.test(command)) return true;
  return FAMILY_ENTRY.test(await scriptOf(facts)) && !/\bgateway( run)?( --|$)/.test(command);
}
