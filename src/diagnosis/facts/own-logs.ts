import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";

/** A log beyond this makes its readers fail (#25818: 3.7 GB). */
const LARGE_BYTES = 1024 ** 3;

/** Our own are rotated at `logs.maxMb`; one that grew under another bound, or another program's hand, stays. */
export const ownLogs: Look = {
  id: "own-logs",
  what: "ClawKit's logs",
  async look({ paths }) {
    const names = await readdir(paths.logsDir).catch(() => []);
    const found = await Promise.all(
      names
        .filter((name) => name.endsWith(".log"))
        .map(async (name) => {
          const path = join(paths.logsDir, name);
          return { path, bytes: (await stat(path).catch(() => undefined))?.size ?? 0 };
        }),
    );
    return largeLogs(found);
  },
};

export function largeLogs(logs: readonly { readonly path: string; readonly bytes: number }[]): Fact[] {
  return logs
    .filter(({ bytes }) => bytes > LARGE_BYTES)
    .map(({ path, bytes }) => {
      const detail = `it is ${(bytes / LARGE_BYTES).toFixed(1)} GB large`;
      return { id: "log-large", detail, source: path };
    });
}
