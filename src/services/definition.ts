import { chmod, copyFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ClawkitError, messageOf, systemErrorCode } from "../core/errors.ts";
import { replaceFile } from "../host/files.ts";
import { type DefinitionFile, isFor, MARK, type ServiceManager } from "./types.ts";

const BYTE_ORDER_MARK = "\uFEFF";

/** A definition as it is on disk; undefined if there is none. */
export async function readDefinition(path: string): Promise<string | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return undefined;
  return bytes[0] === 0xff && bytes[1] === 0xfe ? bytes.toString("utf16le", 2) : bytes.toString("utf8");
}

/** The manager that has a service of ours for this state directory, if one has. */
export async function installedIn(
  managers: readonly ServiceManager[],
  stateDir: string,
): Promise<ServiceManager | undefined> {
  for (const manager of managers) {
    const text = await readDefinition(manager.definitionPath);
    if (text?.includes(MARK) && isFor(text, stateDir)) return manager;
  }
  return undefined;
}

/** Where the definition before this one is kept: no manager reads a file of that name. */
export function backupPath(path: string): string {
  return `${path}.bak`;
}

/** Writes a definition; the one before is kept beside it. */
export async function writeDefinition({ path, text, mode, encoding }: DefinitionFile): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await copyFile(path, backupPath(path)).catch((error: unknown) => {
      if (systemErrorCode(error) !== "ENOENT") throw error;
    });
    await replaceFile(path, encoding === "utf8" ? text : utf16(text));
    await chmod(path, mode);
  } catch (cause) {
    throw new ClawkitError("SERVICE_UNAVAILABLE", `Cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Puts back the definition before the one that was written. */
export async function restoreDefinition(path: string): Promise<void> {
  await copyFile(backupPath(path), path);
}

function utf16(text: string): Buffer {
  return Buffer.from(BYTE_ORDER_MARK + text, "utf16le");
}
