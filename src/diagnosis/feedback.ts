import { appendFile, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { ensurePrivateDir, PRIVATE_FILE } from "../host/files.ts";
import type { Ledger } from "./remedies/ledger.ts";
import type { Finding } from "./types.ts";

/** An answer to "Did this guide solve your problem?", with what the diagnosis had said. */
export interface Feedback {
  readonly at: string;
  readonly playbook: string;
  readonly solved: boolean | "partly";
  /** The cause that the answer counts for; null if there was none. */
  readonly cause: string | null;
  /** What the person added. */
  readonly note?: string;
}

/** A repair that is older is not what the question is about. */
const RECENT_MS = 24 * 60 * 60_000;

/** The cause of the last repair, if that was lately: the gateway is well again, and it is what was wrong. */
export async function aboutCause(ledger: Pick<Ledger, "entries">, now: number): Promise<string | undefined> {
  const recent = (await ledger.entries()).filter(
    ({ cause, at }) => cause !== undefined && now - Date.parse(at) < RECENT_MS,
  );
  return recent[0]?.cause;
}

/**
 * The cause that an answer counts for: what was repaired or found, as far as that playbook is about it. That another
 * one's cause stands first says nothing about either. A playbook that is about one cause only needs no finding.
 */
export function creditedCause(
  causes: ReadonlySet<string>,
  { repaired, found }: { readonly repaired: string | undefined; readonly found: readonly Finding[] },
): string | null {
  if (repaired !== undefined && causes.has(repaired)) return repaired;
  const first = found.find(({ id, verdict }) => verdict !== "ruled out" && causes.has(id));
  const [only] = causes.size === 1 ? causes : [];
  return first?.id ?? only ?? null;
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
    // what helped in part speaks neither for it nor against it
    const weight = solved === true ? 1 : solved === false ? -1 : 0;
    if (typeof cause === "string") counts.set(cause, (counts.get(cause) ?? 0) + weight);
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
