import { appendFile, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ensurePrivateDir, PRIVATE_FILE } from "../host/files.ts";

/** An answer to "Did this guide solve your problem?", with what the diagnosis had said. */
export interface Feedback {
  readonly at: string;
  readonly playbook: string;
  readonly solved: boolean;
  /** The cause that stood first; null if there was none. */
  readonly cause: string | null;
}

/** Answers that are read; the newest ones. */
const MAX_ANSWERS = 1_000;

export async function saveFeedback(path: string, feedback: Feedback): Promise<void> {
  await ensurePrivateDir(dirname(path));
  await appendFile(path, `${JSON.stringify(feedback)}\n`, { mode: PRIVATE_FILE });
}

/** How often a cause was right on this machine: what helped counts for it, what did not, against it. */
export async function seenHere(path: string): Promise<Map<string, number>> {
  const text = await readFile(path, "utf8").catch(() => "");
  const counts = new Map<string, number>();
  for (const line of text.split("\n").slice(-MAX_ANSWERS)) {
    const { cause, solved } = parsed(line);
    if (typeof cause === "string") counts.set(cause, (counts.get(cause) ?? 0) + (solved === true ? 1 : -1));
  }
  return counts;
}

function parsed(line: string): Partial<Feedback> {
  try {
    return JSON.parse(line) as Partial<Feedback>;
  } catch {
    return {}; // the end of the file, or a line that a crash cut
  }
}
