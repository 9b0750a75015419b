import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  /** 1-minute load average before the run began: what else the machine was doing. */
  readonly load: number;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: systemName(),
    kernel: release(),
    node: process.versions.node,
    load: Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]),
  };
}

/** The first `1.2.3` a program prints for `flag`; `undefined` if the program is not installed. */
export function programVersion(command: string, flag: string): string | undefined {
  try {
    // nginx prints its version to stderr
    const text = execFileSync("sh", ["-c", 'exec "$0" "$1" 2>&1', command, flag], { encoding: "utf8" });
    return /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

function systemName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? process.platform;
  } catch {
    return process.platform;
  }
}
