import { readFile } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import { setInText } from "../../config/edit.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { heapBounds } from "./heap-bounds.ts";
import { changedKeys, factsNamed, has, replaceUnchanged, startIsInTheWay } from "./shared.ts";
import type { Repair } from "./types.ts";

/** A gateway of ours is ready in half a second; a command may take its startTimeoutSec. */
const SETTLE_MS = 60_000;

/** Brings back the last config that a start found valid. */
export const restoreOwnConfig: Repair = {
  id: "restore-config",
  helpsWith: ["config-invalid"],
  async plan({ machine, examination }) {
    if (!has(examination, "own-config-broken")) return undefined;
    const { config: path, lastValidConfig } = machine.paths;
    const text = await readFile(lastValidConfig, "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    try {
      resolveConfig({ path: lastValidConfig, text }, machine.env);
    } catch {
      return undefined;
    }
    const now = await readFile(path, "utf8").catch(() => "");
    return {
      what: `restore the last valid config to ${path}`,
      risk: "disruptive",
      files: [path],
      diff: changedKeys(now, text),
      apply: () => replaceUnchanged(path, now, text),
    };
  },
};

/** Nothing of ours runs, and nothing stands in the way. */
export const startOwn: Repair = {
  id: "start",
  helpsWith: "any",
  async plan({ machine, examination, actions }) {
    const isStopped = has(examination, "ours-stopped") && has(examination, "port-free");
    if (!isStopped || has(examination, "own-config-broken")) return undefined;
    if (await startIsInTheWay(machine, examination)) return undefined;
    const wasAsked = has(examination, "stopped-by-operator");
    return {
      what: `start the gateway on port ${machine.target.port}`,
      // who stopped it on purpose is asked first
      risk: wasAsked ? "disruptive" : "safe",
      settleMs: SETTLE_MS,
      apply: actions.startOwn,
    };
  },
};

/** It lives and serves nobody: hung, out of files, refused to start with a config that was mended since. */
export const restartOwn: Repair = {
  id: "restart",
  helpsWith: [
    "event-loop-blocked",
    "wedged-process",
    "files-used-up",
    "config-refused-at-startup",
    "config-invalid",
    "gateway-unreachable",
  ],
  async plan({ examination, actions }) {
    if (!has(examination, "ours-unhealthy") || has(examination, "own-config-broken", "process-stopped"))
      return undefined;
    return {
      what: "restart the gateway behind the edge; connected clients are told to reconnect",
      risk: "disruptive",
      settleMs: SETTLE_MS,
      apply: actions.restartOwn,
    };
  },
};

const MB = 2 ** 20;

/** V8's own limit, not the kernel's: a larger heap helps where there is memory for it (knowledge §2.1, `oom`). */
export const raiseHeap: Repair = {
  id: "raise-heap",
  helpsWith: ["oom"],
  async plan({ machine, examination, actions }) {
    const ended = factsNamed(examination, "ended-oom")[0];
    if (ended === undefined || !/heap/i.test(ended.detail)) return undefined;
    const config = await machine.ownConfig();
    const isSupervised = (await machine.status()).supervisor.pid !== null;
    const now = config.supervisor.heapMb ?? Math.round(getHeapStatistics().heap_size_limit / MB);
    const wanted = Math.min(now * 2, (await heapBounds(machine)).mostMb);
    if (wanted <= now) return undefined;
    const path = machine.paths.config;
    const text = await readFile(path, "utf8");
    const mended = setInText(text, ["supervisor", "heapMb"], String(wanted));
    return {
      what: `raise the gateway's heap limit from ${now} to ${wanted} MB (supervisor.heapMb), and restart it`,
      risk: "disruptive",
      files: [path],
      diff: changedKeys(text, mended, ["supervisor.heapMb"]),
      settleMs: SETTLE_MS,
      apply: async () => {
        await replaceUnchanged(path, text, mended);
        if (isSupervised) await actions.restartOwn();
      },
    };
  },
};
