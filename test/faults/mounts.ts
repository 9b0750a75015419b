import { execFileSync } from "node:child_process";
import { open, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Lab } from "./lab.ts";

/** Why nothing can be mounted here; false if it can. */
export function whyNoMounts(): string | false {
  if (process.platform !== "linux") return "tmpfs is Linux's";
  return process.getuid?.() === 0 ? false : "mounting needs root";
}

/** Puts a small file system at a folder, until the laboratory ends: `size=24m`, `nr_inodes=200`. */
export function mountSmall(lab: Pick<Lab, "defer">, folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", `mode=0700,${options}`, "clawkit-fault", folder]);
  lab.defer(() => unmount(folder));
}

/** From now on nothing can be written below the folder. */
export function makeReadOnly(lab: Lab, folder: string): void {
  execFileSync("mount", ["--bind", folder, folder]);
  lab.defer(() => unmount(folder));
  execFileSync("mount", ["-o", "remount,bind,ro", folder]);
}

/** Writes a file until there is no byte left. */
export async function fillBytes(folder: string): Promise<void> {
  const file = await open(join(folder, "filling"), "w");
  try {
    while (true) await file.write(Buffer.alloc(64 * 1024, 1));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    await file.close();
  }
}

/** Makes empty files until there is no inode left. */
export async function fillInodes(folder: string): Promise<void> {
  const { ffree } = await statfs(folder);
  for (let i = 0; i < ffree; i++) {
    try {
      await writeFile(join(folder, `filling-${i}`), "", { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      return; // the gateway writes, too
    }
  }
}

function unmount(folder: string): void {
  execFileSync("umount", ["--lazy", folder]);
}
