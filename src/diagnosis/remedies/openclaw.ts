import { access, constants, readFile, rename } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { removeFromText, setInText } from "../../config/edit.ts";
import { parseJson5 } from "../../config/parse.ts";
import { findOnPath } from "../../host/path-search.ts";
import { lockOwner, type OpenClawLock } from "../facts/openclaw-locks.ts";
import type { Machine } from "../machine.ts";
import { changedKeys, factsNamed, has, replaceUnchanged, startIsInTheWay } from "./shared.ts";
import type { Repair, RepairContext } from "./types.ts";

/** Its cold start takes 8 to 24 s (knowledge: openclaw.md), on a busy machine more. */
const START_MS = 90_000;

/** Copies that OpenClaw keeps beside its config, the newest first. */
const COPIES = [".bak", ".last-good", ".bak.1", ".bak.2", ".bak.3", ".bak.4"];

/** A config that is no JSON5, or holds a mode that does not exist: the newest copy that is well. */
export const restoreOpenClawConfig: Repair = {
  id: "restore-openclaw-config",
  helpsWith: ["config-invalid", "config-refused-at-startup", "doctor-fix-side-effect"],
  async plan({ machine, examination }) {
    const isBroken = has(examination, "openclaw-config-broken", "openclaw-mode-unknown", "redacted-written");
    const isRejected = has(examination, "config-invalid-said", "config-key-said");
    const path = machine.openclawConfigPath;
    const now = await readFile(path, "utf8").catch(() => "");
    // without any section for the gateway it was emptied: a mode alone would start it without token and port
    const isEmptied = has(examination, "openclaw-mode-unset") && !/\bgateway\b/.test(now);
    if (!isBroken && !isRejected && !isEmptied) return undefined;
    for (const suffix of COPIES) {
      const text = await readFile(path + suffix, "utf8").catch(() => undefined);
      if (text === undefined || text === now || !isUsable(text)) continue;
      return {
        what: `restore ${path} from its copy ${path}${suffix}`,
        risk: "disruptive",
        files: [path],
        diff: changedKeys(now, text),
        apply: () => replaceUnchanged(path, now, text),
      };
    }
    return undefined;
  },
};

/** `openclaw.json:1 — gateway: Unrecognized key: "bogus"`, as OpenClaw 2026.9 says it. */
const UNKNOWN_KEY = /^(?:.*— )?([\w.-]+|<root>): Unrecognized keys?: (.+)$/m;

/** Takes out the key that a start rejected. */
export const removeUnknownKey: Repair = {
  id: "remove-unknown-key",
  helpsWith: ["config-invalid"],
  async plan({ machine, examination }) {
    const path = machine.openclawConfigPath;
    const said = factsNamed(examination, "config-key-said").map(({ detail }) => UNKNOWN_KEY.exec(detail));
    const text = await readFile(path, "utf8").catch(() => undefined);
    const found = said.find((match) => match !== null);
    if (text === undefined || found == null) return undefined;
    const parent = found[1] === "<root>" ? [] : found[1]!.split(".");
    const keys = [...found[2]!.matchAll(/"([^"]+)"/g)].map((match) => match[1]!);
    const mended = keys.reduce((rest, key) => removeFromText(rest, [...parent, key]), text);
    if (mended === text) return undefined;
    return {
      what: `remove ${keys.map((key) => [...parent, key].join(".")).join(", ")} from ${path}`,
      risk: "disruptive",
      files: [path],
      diff: changedKeys(text, mended),
      apply: () => replaceUnchanged(path, text, mended),
    };
  },
};

export const setOpenClawMode: Repair = {
  id: "set-openclaw-mode",
  helpsWith: ["config-refused-at-startup"],
  async plan({ machine, examination }) {
    if (!has(examination, "openclaw-mode-unset")) return undefined;
    const path = machine.openclawConfigPath;
    const text = await readFile(path, "utf8");
    const mended = setInText(text, ["gateway", "mode"], '"local"');
    return {
      what: `set gateway.mode to "local" in ${path}`,
      risk: "disruptive",
      files: [path],
      diff: changedKeys(text, mended, ["gateway.mode"]),
      apply: () => replaceUnchanged(path, text, mended),
    };
  },
};

/**
 * A lock in this state folder whose pid is another process's. It is moved, not deleted, and asked about first: in a
 * container the same pid may be a living gateway.
 */
export const moveStaleLock: Repair = {
  id: "move-stale-lock",
  helpsWith: ["stale-lock", "port-conflict"],
  async plan({ machine, examination }) {
    if (!has(examination, "lock-of-another") || has(examination, "gateway-young", "lock-held"))
      return undefined;
    if (!has(examination, "port-free")) return undefined;
    const isHere = ({ path }: OpenClawLock) =>
      machine.openclawDirs.some((dir) => path.startsWith(join(dir, sep)));
    const processes = await machine.processes();
    const stale = (await machine.openclawLocks()).filter(
      (lock) => isHere(lock) && lockOwner(lock, processes) === "other",
    );
    if (stale.length === 0) return undefined;
    const moves = stale.map((lock) => ({ lock, aside: `${lock.path}.stale-${machine.clock.wall()}` }));
    return {
      what: `move the stale lock aside: ${stale.map(({ path }) => path).join(", ")}`,
      risk: "disruptive",
      undo: moves.map(({ lock, aside }) => ({ kind: "move", from: aside, to: lock.path })),
      apply: async () => {
        for (const { lock, aside } of moves) {
          const owner = await machine.host.process(lock.pid);
          if (owner !== undefined && lockOwner(lock, [owner]) === "other") await rename(lock.path, aside);
        }
      },
    };
  },
};

/** Starts an OpenClaw gateway that is away, as `openclaw gateway run` would, where no service manager does it. */
export const startOpenClaw: Repair = {
  id: "start-openclaw",
  helpsWith: "any",
  async plan({ machine, examination, actions }: RepairContext) {
    const isAway = has(examination, "port-free") && has(examination, "no-gateway-process");
    if (!isAway || !(await machine.isOpenClaw())) return undefined;
    if (await startIsInTheWay(machine, examination)) return undefined;
    if (has(examination, "ours-stopped", "ours-unhealthy", "ours-starting")) return undefined;
    const program = await findOpenClaw(machine);
    if (program === undefined) return undefined;
    return {
      what: `start ${program} gateway run --port ${machine.target.port} in the background`,
      risk: "disruptive",
      settleMs: START_MS,
      apply: () => actions.launch(program, ["gateway", "run", "--port", String(machine.target.port)]),
    };
  },
};

/** The real `openclaw` of the PATH; our alias of that name starts ours. */
async function findOpenClaw({ env, paths, platform }: Machine): Promise<string | undefined> {
  const name = platform === "win32" ? "openclaw.cmd" : "openclaw";
  for (const path of await findOnPath(name, env.PATH)) {
    const isProgram = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isProgram && dirname(path) !== paths.binDir && !(await isOurAlias(path))) return path;
  }
  return undefined;
}

async function isOurAlias(path: string): Promise<boolean> {
  return (await readFile(path, "utf8").catch(() => "")).slice(0, 2_000).includes("clawkit");
}

function isUsable(text: string): boolean {
  if (text.includes("__OPENCLAW_REDACTED__")) return false;
  try {
    const config = parseJson5({ path: "", text }) as { gateway?: { mode?: unknown } } | null;
    return config?.gateway?.mode === "local" || config?.gateway?.mode === "remote";
  } catch {
    return false;
  }
}
