import { chmod, rename, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { runCommand } from "../../host/command.ts";
import type { Machine } from "../machine.ts";
import type { Fact } from "../types.ts";
import { factsNamed, has } from "./shared.ts";
import type { Plan, Repair } from "./types.ts";

/** What a service may take to start. */
export const START_MS = 60_000;
const OWNER_MAY = 0o700;

/** systemd has given up: its counter is reset, and the unit started. */
export const freeStartLimit: Repair = {
  id: "free-start-limit",
  helpsWith: ["systemd-start-limit"],
  async plan({ examination }) {
    const [fact] = factsNamed(examination, "service-start-limit");
    if (fact === undefined) return undefined;
    const [unit, scope] = unitOf(fact);
    const isOff = factsNamed(examination, "service-switched-off").some(
      (off) => off.source === fact.source && unitOf(off)[0] === unit,
    );
    if (isOff) return undefined;
    return {
      what: `free the start limit of ${unit} and start it`,
      risk: "disruptive",
      settleMs: START_MS,
      apply: async () => {
        await run("systemctl", [...scope, "reset-failed", unit]);
        await run("systemctl", [...scope, "start", unit]);
      },
    };
  },
};

/** User services then outlive the login that started them. */
export const enableLinger: Repair = {
  id: "enable-linger",
  helpsWith: ["no-linger"],
  async plan({ machine, examination }) {
    return has(examination, "service-without-linger") ? lingerPlan(machine) : undefined;
  },
};

export function lingerPlan({ userName }: Machine): Plan {
  return {
    what: `let services of ${userName} outlive the login (loginctl enable-linger)`,
    risk: "disruptive",
    undo: [{ kind: "run", command: ["loginctl", "disable-linger", userName] }],
    apply: () => run("loginctl", ["enable-linger", userName]),
  };
}

/** A systemd service of a gateway that is not running, and may run. */
export const startService: Repair = {
  id: "start-service",
  helpsWith: ["no-linger", "restart-not-relaunched", "killed-by-signal", "not-listening"],
  async plan({ examination }) {
    const [fact] = factsNamed(examination, "service-not-running");
    if (fact === undefined || !fact.source.startsWith("systemd") || !has(examination, "port-free"))
      return undefined;
    if (has(examination, "service-start-limit", "service-refused")) return undefined;
    const [unit, scope] = unitOf(fact);
    return {
      what: `start ${unit}`,
      risk: "disruptive",
      settleMs: START_MS,
      apply: () => run("systemctl", [...scope, "start", unit]),
    };
  },
};

/** A folder that belongs to this user, and that its owner may not write to. */
export const openFolder: Repair = {
  id: "make-writable",
  helpsWith: ["state-not-writable"],
  async plan({ machine, examination }) {
    for (const { source: path } of [
      ...factsNamed(examination, "folder-not-writable"),
      ...factsNamed(examination, "openclaw-config-unreadable"),
    ]) {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined || (machine.uid !== undefined && facts.uid !== machine.uid)) continue;
      const mode = facts.mode & 0o7777;
      const wanted = mode | (facts.isDirectory() ? OWNER_MAY : 0o600);
      if (mode === wanted) continue; // its file system, or its owner, is what forbids it
      return {
        what: `let its owner write to ${path} (mode ${mode.toString(8)} → ${wanted.toString(8)})`,
        risk: isBelow(path, machine.paths.stateDir) ? "safe" : "disruptive",
        undo: [{ kind: "mode", path, mode }],
        isRecordedAfter: path === machine.paths.stateDir,
        apply: () => chmod(path, wanted),
      };
    }
    return undefined;
  },
};

/** A log of gigabytes is moved aside; whoever writes it begins a new one at its next start. */
export const moveLargeLog: Repair = {
  id: "move-large-log",
  helpsWith: ["log-file-too-large"],
  async plan({ machine, examination }) {
    const logs = factsNamed(examination, "log-large").map(({ source }) => source);
    if (logs.length === 0) return undefined;
    const moves = logs.map((path) => ({ path, aside: `${path}.${machine.clock.wall()}` }));
    return {
      what: `move ${logs.join(", ")} aside`,
      risk: "disruptive",
      undo: moves.map(({ path, aside }) => ({ kind: "move", from: aside, to: path })),
      apply: async () => {
        for (const { path, aside } of moves) await rename(path, aside);
      },
    };
  },
};

/** A systemd unit that a fact is about, with the option that says whose it is. */
export function unitOf({ detail, source }: Fact): [unit: string, scope: readonly string[]] {
  return [detail.split(":")[0]!, source === "systemd (user)" ? ["--user"] : []];
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(join(folder, sep));
}

export async function run(file: string, args: readonly string[]): Promise<void> {
  await runCommand(file, args, { timeLimitMs: START_MS, mustSucceed: true });
}
