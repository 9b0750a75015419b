import { copyFile, stat, truncate } from "node:fs/promises";

/**
 * Keeps a log bounded whose writer never lets go of it: launchd opens it once, to append. What was there is kept as
 * `.1`. Safe while nothing else is written, so at the start.
 */
export async function boundLog(path: string, maxBytes: number): Promise<void> {
  try {
    if ((await stat(path)).size <= maxBytes) return;
    await copyFile(path, `${path}.1`);
    await truncate(path);
  } catch {
    // no log yet, or no room for a copy: neither stops a start
  }
}
