import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, chmod, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { platform } from "node:os";
import { dirname } from "node:path";
import { ClawkitError, messageOf, systemErrorCode } from "../core/errors.ts";

/** Only the owner may read what ClawKit writes: tokens, logs and sockets are in there. */
const PRIVATE_DIR = 0o700;
export const PRIVATE_FILE = 0o600;

/** Makes a directory that only its owner can enter. Throws STATE_UNUSABLE with the cause. */
export async function ensurePrivateDir(path: string): Promise<void> {
  try {
    const created = await mkdir(path, { recursive: true, mode: PRIVATE_DIR });
    if (created === undefined) await tightenMode(path);
  } catch (thrown) {
    // a container's volume may be mounted read-only; Node's recursive mkdir says ENOENT there
    const cause = await access(dirname(path), constants.W_OK).then(
      () => thrown,
      (error: unknown) => (systemErrorCode(error) === "EROFS" ? error : thrown),
    );
    const advice = systemErrorCode(cause) === "EROFS" ? ": mount it writable, or set CLAWKIT_STATE_DIR" : "";
    throw new ClawkitError(
      "STATE_UNUSABLE",
      `Cannot use the directory ${path}: ${messageOf(cause)}${advice}`,
      {
        cause,
      },
    );
  }
}

/** A directory that others can write to, or that is not ours, is no place for a token. */
async function tightenMode(path: string): Promise<void> {
  if (platform() === "win32") return;
  const facts = await stat(path);
  if (!facts.isDirectory()) throw new Error("it is not a directory");
  const uid = process.getuid?.();
  if (uid !== undefined && facts.uid !== uid) {
    throw new Error(
      `it belongs to user ${facts.uid}, not ${uid}: give it to this one (chown -R ${uid} ${path}), or set CLAWKIT_STATE_DIR`,
    );
  }
  if ((facts.mode & 0o077) !== 0) await chmod(path, PRIVATE_DIR);
}

/** Replaces a file's content in one step: a reader, or a crash, sees the old or the new text, never half of it. */
export async function writeFileAtomic(path: string, text: string): Promise<void> {
  await replaceWith(path, text, {});
}

/** The same for a file that is somebody else's: a link stays a link, owner and mode (unless given) what they were. */
export async function replaceFile(path: string, content: string | Uint8Array, mode?: number): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const facts = await stat(target).catch(() => undefined);
  await replaceWith(target, content, { owner: facts, mode: mode ?? facts?.mode });
}

interface Kept {
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly mode?: number | undefined;
}

async function replaceWith(path: string, content: string | Uint8Array, { owner, mode }: Kept): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIR });
  try {
    const file = await open(temporary, "wx", PRIVATE_FILE);
    try {
      await file.writeFile(content);
      // before it is in its place: a crash leaves the old file, or the new one with its owner
      if (platform() !== "win32") {
        if (owner !== undefined) await file.chown(owner.uid, owner.gid);
        if (mode !== undefined) await file.chmod(mode & 0o7777);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
