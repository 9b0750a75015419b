import { messageOf } from "../../core/errors.ts";
import { isCorruption, makePrivateFile, setAside } from "../../recorder/database-file.ts";
import { Journal, type JournalOptions, OtherVersion } from "./journal.ts";

export interface OpenedJournal {
  readonly journal: Journal;
  /** What the user must know: clients of before are lost, or those of now would be. */
  readonly announcement?: string;
}

/**
 * Opens the journal. One that is broken, or was written by another version, is moved aside and a new one begun. Where no file
 * can be used, as on a full disk, it is kept in memory: a gateway that is there is worth more than one that survives.
 */
export function openJournal(path: string, now: number, options: JournalOptions): OpenedJournal {
  try {
    return { journal: openFile(path, options) };
  } catch (error) {
    if (!isCorruption(error) && !(error instanceof OtherVersion)) return inMemory(path, options, error);
    try {
      const aside = setAside(path, now);
      const announcement = `the journal cannot be read (${messageOf(error)}): it is kept as ${aside}, a new one was begun, and clients of before are closed with 1012`;
      return { journal: openFile(path, options), announcement };
    } catch (other) {
      return inMemory(path, options, other);
    }
  }
}

function openFile(path: string, options: JournalOptions): Journal {
  makePrivateFile(path);
  return new Journal(path, options);
}

function inMemory(path: string, options: JournalOptions, error: unknown): OpenedJournal {
  const announcement = `cannot use ${path} (${messageOf(error)}): the journal is kept in memory until the gateway starts again; clients of before are closed with 1012, and so are those of now if it ends`;
  return { journal: new Journal(":memory:", options), announcement };
}
