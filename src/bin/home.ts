import { homedir } from "node:os";
import { ClawkitError } from "../core/errors.ts";

/** The home directory. Throws STATE_UNUSABLE where there is none: a container's `--user 1234` without HOME. */
export function ownHome(): string {
  try {
    return homedir();
  } catch (cause) {
    const message = `Cannot find a home directory as user ${process.getuid?.()} has no entry in passwd and HOME is not set: set HOME to a folder of yours`;
    throw new ClawkitError("STATE_UNUSABLE", message, { cause });
  }
}
