import { messageOf } from "../../core/errors.ts";
import { isCorruption, makePrivateFile, setAside } from "../../recorder/database-file.ts";
import { Journal, type JournalOptions, OtherVersion } from "./journal.ts";

export interface OpenedJournal {
  readonly journal: Journal;
  /** What the user must know: the old one cannot be read, and the links in it are lost. */
  readonly announcement?: string;
}

/**
 * Opens the journal. One that is broken, or was written by another version, is moved aside and a new one begun: its links end, and
 * say so. Throws what else SQLite and the system say: without a journal nothing could be promised.
 */
export function openJournal(path: string, now: number, options: JournalOptions): OpenedJournal {
  try {
    makePrivateFile(path);
    return { journal: new Journal(path, options) };
  } catch (error) {
    if (!isCorruption(error) && !(error instanceof OtherVersion)) throw error;
    const aside = setAside(path, now);
    makePrivateFile(path);
    const announcement = `the journal cannot be read (${messageOf(error)}): it is kept as ${aside}, a new one was begun, and clients of before are closed with 1012`;
    return { journal: new Journal(path, options), announcement };
  }
}
