import { readFileSync } from "node:fs";
import { messageOf } from "../core/errors.ts";
import type { NetworkTimer } from "../core/network-timer.ts";
import { writeFileAtomic } from "../host/files.ts";

/** As `networkOf` names them; shown on terminals. */
const NETWORK = /^[0-9a-f.:]{2,39}\/(24|48)$/;

/**
 * What an edge before this one learned, and where this one keeps it. A file that cannot be read is no reason not to start;
 * it is read at once, as the next message of the supervisor must find an edge.
 */
export function keptTimers(path: string) {
  let latest: readonly NetworkTimer[] | undefined;
  let isWriting = false;
  const write = async () => {
    isWriting = true;
    for (let timers = latest; timers !== undefined; timers = latest) {
      latest = undefined;
      await writeFileAtomic(path, `${JSON.stringify(timers)}\n`).catch((error) =>
        console.log(`cannot keep what was learned of networks: ${messageOf(error)}`),
      );
    }
    isWriting = false;
  };
  return {
    learnedTimers: timersIn(path),
    /** An outage teaches of many networks at once: what is learned during a write goes into the next one. */
    keepTimers: (timers: readonly NetworkTimer[]) => {
      latest = timers;
      if (!isWriting) void write();
    },
  };
}

function timersIn(path: string): NetworkTimer[] {
  try {
    const list = JSON.parse(readFileSync(path, "utf8")) as unknown;
    return Array.isArray(list) ? list.filter(isTimer) : [];
  } catch {
    return [];
  }
}

function isTimer(value: unknown): value is NetworkTimer {
  const timer = value as NetworkTimer | null;
  const numbers = [
    timer?.intervalMs,
    timer?.killedAfterMs,
    timer?.learnedAt,
    timer?.triedAt,
    timer?.trialDrops,
  ];
  const isNamed = typeof timer?.network === "string" && NETWORK.test(timer.network);
  return isNamed && numbers.every((number) => Number.isFinite(number));
}
