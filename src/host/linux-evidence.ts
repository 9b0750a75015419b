import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { hrtime } from "node:process";
import { systemErrorCode } from "../core/errors.ts";
import { journal } from "./journal.ts";
import type { CgroupMemory, Host } from "./types.ts";

const CGROUP_ROOT = "/sys/fs/cgroup";

/** cgroup v1 writes "no limit" as the highest page-aligned number of 63 bits. */
const NO_LIMIT_BYTES = 2 ** 60;

/** A record of the kernel's log is at most this long (kernel/printk: PRINTKRECORD_MAX). */
const KMSG_RECORD_BYTES = 8 * 1024;

/** The kernel's log holds some thousand records; one that is written to all the time must not keep us. */
const MAX_KMSG_RECORDS = 50_000;

/** Journal lines that are looked at, the last ones. */
const MAX_JOURNAL_LINES = 2_000;

/** What the kernel and systemd-oomd say when they end a process, when one crashes, and around sleep. */
const TELLING =
  /PM: suspend (entry|exit)|out of memory|oom[-_]|Killed process|Memory cgroup|segfault|general protection|traps:|invalid opcode|divide error|systemd-oomd/i;

type Evidence = Pick<
  Host,
  "usage" | "cgroupOf" | "cgroupMemory" | "cgroupPids" | "kernelLines" | "handlesSignal" | "sleep"
>;

export const linuxEvidence: Evidence = {
  async usage(pid) {
    const status = await textOf(`/proc/${pid}/status`);
    const rssBytes = kilobytes(status, "VmRSS");
    if (rssBytes === undefined) return undefined; // gone, or a zombie
    const peakRssBytes = kilobytes(status, "VmHWM");
    const openFiles = await readdir(`/proc/${pid}/fd`).then(
      (names) => names.length,
      () => undefined,
    );
    const limits = await textOf(`/proc/${pid}/limits`);
    const maxOpenFiles = number(/^Max open files\s+(\d+)/m.exec(limits ?? "")?.[1]);
    return {
      rssBytes,
      ...(peakRssBytes === undefined ? {} : { peakRssBytes }),
      ...(openFiles === undefined ? {} : { openFiles }),
      ...(maxOpenFiles === undefined ? {} : { maxOpenFiles }),
    };
  },

  async cgroupOf(pid) {
    return await cgroupFolder(pid, "memory");
  },

  async cgroupMemory(path) {
    const isV2 = (await textOf(join(path, "memory.events"))) !== undefined;
    const limits = await limitsUpwards(path, isV2 ? "memory.max" : "memory.limit_in_bytes");
    const charged = number(await textOf(join(path, isV2 ? "memory.current" : "memory.usage_in_bytes")));
    const statistics = (await textOf(join(path, "memory.stat"))) ?? "";
    // v1 counts the groups below in a line of its own
    const total = /^total_inactive_file (\d+)/m.exec(statistics) ?? /^inactive_file (\d+)/m.exec(statistics);
    const cache = number(total?.[1]) ?? 0;
    const usage = charged === undefined ? undefined : Math.max(0, charged - cache);
    const counters = await textOf(join(path, isV2 ? "memory.events" : "memory.oom_control"));
    const oomKills = number(/^oom_kill (\d+)/m.exec(counters ?? "")?.[1]);
    if (usage === undefined && oomKills === undefined && limits.length === 0) return undefined;
    const memory: CgroupMemory = {
      path,
      ...(limits.length === 0 ? {} : { limitBytes: Math.min(...limits) }),
      ...(usage === undefined ? {} : { usageBytes: usage }),
      ...(oomKills === undefined ? {} : { oomKills }),
    };
    return memory;
  },

  async cgroupPids(pid) {
    const folder = await cgroupFolder(pid, "pids");
    for (let path = folder; path?.startsWith(CGROUP_ROOT); path = dirname(path)) {
      const count = number(await textOf(join(path, "pids.current")));
      const max = number(await textOf(join(path, "pids.max"))); // "max" is none
      if (count !== undefined && max !== undefined) return { path, count, max };
    }
    return undefined;
  },

  /** CLOCK_BOOTTIME goes on in sleep, CLOCK_MONOTONIC does not (clock_gettime(2)). */
  async sleep() {
    const boottime = number((await textOf("/proc/uptime"))?.split(" ")[0]);
    if (boottime === undefined) return undefined;
    return { sleptMs: Math.max(0, boottime * 1000 - monotonicMs()) };
  },

  async kernelLines(sinceMs) {
    const [kernel, oomd] = await Promise.all([kernelLog(sinceMs), oomdLog(sinceMs)]);
    if (kernel === undefined) return undefined;
    return [...kernel, ...oomd].filter((line) => TELLING.test(line));
  },

  async handlesSignal(pid, signal) {
    const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec((await textOf(`/proc/${pid}/status`)) ?? "")?.[1];
    return caught !== undefined && (BigInt(`0x${caught}`) & (1n << BigInt(signal - 1))) !== 0n;
  },
};

async function cgroupFolder(pid: number, controller: "memory" | "pids"): Promise<string | undefined> {
  const [table, mounts] = await Promise.all([textOf(`/proc/${pid}/cgroup`), textOf("/proc/self/mountinfo")]);
  return parseCgroup(table ?? "", mounts ?? "", controller);
}

/**
 * The folder of a controller: cgroup v1's own line, else the one of v2. The path in the table is as the machine has it;
 * a container has only its own part of the tree mounted, which `mounts` (mountinfo) tells.
 */
export function parseCgroup(
  table: string,
  mounts: string,
  controller: "memory" | "pids" = "memory",
): string | undefined {
  const v1 = new RegExp(`^\\d+:(?:[^:]*,)?${controller}(?:,[^:]*)?:(.*)$`, "m").exec(table)?.[1];
  const path = v1 ?? /^0::(.*)$/m.exec(table)?.[1];
  if (path === undefined) return undefined;
  const folder = v1 === undefined ? CGROUP_ROOT : join(CGROUP_ROOT, controller);
  const root = mountedRoot(mounts, folder);
  const isBelow = root !== undefined && (path === root || path.startsWith(`${root}/`));
  return join(folder, isBelow ? path.slice(root.length) : path);
}

/** What part of its file system stands at `folder`; undefined if that is the whole. */
function mountedRoot(mounts: string, folder: string): string | undefined {
  const fields = mounts.split("\n").map((line) => line.split(" ")); // id, parent, device, root, mount point, …
  const root = fields.findLast((line) => line[4] === folder)?.[3];
  return root === "/" ? undefined : root;
}

/** `<priority>,<sequence>,<µs since boot>,<flags>;<text>` and lines of details (Documentation/ABI: dev-kmsg). */
export function parseKmsg(
  record: string,
): { readonly sinceBootMs: number; readonly text: string } | undefined {
  const match = /^\d+,\d+,(\d+),[^;]*;(.*)/.exec(record);
  return match === null ? undefined : { sinceBootMs: Number(match[1]) / 1000, text: match[2]! };
}

/** From the device, which every record is read from by itself; from the journal where the device is not ours. */
async function kernelLog(sinceMs: number): Promise<string[] | undefined> {
  const device = await open("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined);
  if (device === undefined) return await journalSince(sinceMs, ["-k"]);
  // the kernel's clock stands still while the machine sleeps, as the monotonic one does
  const bootedAt = Date.now() - monotonicMs();
  const lines: string[] = [];
  const buffer = Buffer.alloc(KMSG_RECORD_BYTES);
  try {
    for (let i = 0; i < MAX_KMSG_RECORDS; i++) {
      const bytesRead = await readRecord(device, buffer);
      if (bytesRead === undefined) continue; // overwritten before it was read
      const record = parseKmsg(buffer.toString("utf8", 0, bytesRead));
      // the kernel's clock drifts from the wall's: a minute more is only a few lines more
      if (record !== undefined && bootedAt + record.sinceBootMs >= sinceMs - 60_000) lines.push(record.text);
    }
  } catch {
    // EAGAIN: that was all
  } finally {
    await device.close();
  }
  return lines;
}

/** CLOCK_MONOTONIC: `performance.now()` counts from the start of this process. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Undefined for a record that the kernel has overwritten (EPIPE); throws EAGAIN at the end. */
async function readRecord(device: FileHandle, buffer: Buffer): Promise<number | undefined> {
  try {
    return (await device.read(buffer, 0, buffer.length, null)).bytesRead;
  } catch (error) {
    if (systemErrorCode(error) === "EPIPE") return undefined;
    throw error;
  }
}

async function oomdLog(sinceMs: number): Promise<string[]> {
  return (await journalSince(sinceMs, ["-t", "systemd-oomd"])) ?? [];
}

function journalSince(sinceMs: number, filter: readonly string[]): Promise<string[] | undefined> {
  const since = `@${Math.floor(sinceMs / 1000)}`;
  return journal([...filter, "--since", since, "-n", String(MAX_JOURNAL_LINES), "-o", "short"]);
}

/** A container sees its own group as the root; outside, every group around one limits it too. */
async function limitsUpwards(path: string, file: string): Promise<number[]> {
  const limits: number[] = [];
  for (let folder = path; folder.startsWith(CGROUP_ROOT); folder = dirname(folder)) {
    const limit = number(await textOf(join(folder, file)));
    if (limit !== undefined && limit < NO_LIMIT_BYTES) limits.push(limit);
  }
  return limits;
}

function kilobytes(status: string | undefined, name: string): number | undefined {
  const value = number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status ?? "")?.[1]);
  return value === undefined ? undefined : value * 1024;
}

/** "max" is no number, and no limit. */
function number(text: string | undefined): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
