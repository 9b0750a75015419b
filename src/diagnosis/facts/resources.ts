import { constants } from "node:fs";
import { access, open, readdir, stat, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import type { Look, Machine } from "../machine.ts";
import type { Fact } from "../types.ts";

const MB = 2 ** 20;

/** Less than this, and writes of a gateway fail: a log line, a database's journal. */
const MIN_DISK_BYTES = 16 * MB;
const MIN_INODES = 32;
const MIN_MEMORY_BYTES = 64 * MB;

/** The first bytes of a SQLite database (https://sqlite.org/fileformat.html §1.3). An empty file is one, too. */
const SQLITE_MAGIC = "SQLite format 3\0";

/** Disk, memory, and whether the folders of gateways can be used. */
export const resources: Look = {
  id: "resources",
  what: "disk, memory, and the folders of gateways",
  async look(machine) {
    const folders = await foldersOf(machine);
    const found = await Promise.all(folders.map(factsOfFolder));
    const facts = found.flat();
    if (freemem() < MIN_MEMORY_BYTES) {
      facts.push({
        id: "memory-gone",
        detail: `${Math.round(freemem() / MB)} MB are free`,
        source: "memory",
      });
    }
    return facts;
  },
};

async function foldersOf(machine: Machine): Promise<string[]> {
  const { paths } = machine;
  const openclawDirs = (await machine.isOpenClaw()) ? machine.openclawDirs : [];
  const all = [paths.stateDir, ...openclawDirs, ...openclawDirs.map((dir) => join(dir, "state"))];
  const there = await Promise.all(all.map((path) => stat(path).catch(() => undefined)));
  return all.filter((_, index) => there[index]?.isDirectory());
}

async function factsOfFolder(path: string): Promise<Fact[]> {
  const facts: Fact[] = [];
  const { blocks, bavail, bsize, files, ffree } = await statfs(path);
  if (blocks > 0 && bavail * bsize < MIN_DISK_BYTES) {
    const detail = `${Math.round((bavail * bsize) / MB)} MB are left on its disk`;
    facts.push({ id: "disk-full", detail, source: path });
  }
  if (files > 0 && ffree < MIN_INODES) {
    facts.push({ id: "disk-full", detail: `${ffree} inodes are left on its disk`, source: path });
  }
  const isWritable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code ?? "no",
  );
  if (isWritable !== true) {
    facts.push({
      id: "folder-not-writable",
      detail: `it cannot be written to (${isWritable})`,
      source: path,
    });
  }
  facts.push(...(await brokenDatabases(path)));
  return facts;
}

async function brokenDatabases(folder: string): Promise<Fact[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    /\.sqlite$|^recorder\.db$/.test(name),
  );
  const found = await Promise.all(
    names.map(async (name): Promise<Fact[]> => {
      const path = join(folder, name);
      const head = await headOf(path);
      if (head === undefined || head === "" || head === SQLITE_MAGIC) return [];
      return [{ id: "database-broken", detail: "it is not a SQLite database", source: path }];
    }),
  );
  return found.flat();
}

async function headOf(path: string): Promise<string | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(SQLITE_MAGIC.length),
      0,
      SQLITE_MAGIC.length,
      0,
    );
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}
