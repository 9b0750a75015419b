import type { Journal } from "./journal.ts";

/** How far the talk with a client has come, in its messages and ours (docs/link-protocol.md, "A client's own resumption"). */
export interface Counts {
  readonly taken: number;
  readonly emitted: number;
}

export interface ResumableRow extends Counts {
  readonly key: number;
  readonly id: string;
  /** Of its secret, a digest. */
  readonly digest: string;
  readonly link: number;
  /** Of our messages those that the client has. */
  readonly received: number;
  /** The client's last move to another link, as it numbers them. */
  readonly attempt: number;
  /** Wall-clock milliseconds; null while the client is there. */
  readonly leftAt: number | null;
}

/** The sessions that their clients may resume, and our messages that those have not confirmed. Written within the journal's commits. */
export class ResumableTable {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  rows(): ResumableRow[] {
    return this.#journal.all("SELECT * FROM resumable") as unknown as ResumableRow[];
  }

  add(id: string, digest: string, link: number): number {
    const { lastInsertRowid } = this.#journal.run(
      "INSERT INTO resumable (id, digest, link, taken, emitted, received, attempt) VALUES (?, ?, ?, 0, 0, 0, 0)",
      id,
      digest,
      link,
    );
    return Number(lastInsertRowid);
  }

  setCounts(key: number, { taken, emitted }: Counts): void {
    this.#journal.run("UPDATE resumable SET taken = ?, emitted = ? WHERE key = ?", taken, emitted, key);
  }

  setLeft(key: number, at: number | null): void {
    this.#journal.run("UPDATE resumable SET leftAt = ? WHERE key = ?", at, key);
  }

  /** Its place and its unanswered requests go from one link to another. */
  move({ key, attempt }: Pick<ResumableRow, "key" | "attempt">, from: number, to: number): void {
    this.#journal.run(
      "UPDATE resumable SET link = ?, attempt = ?, leftAt = NULL WHERE key = ?",
      to,
      attempt,
      key,
    );
    this.#journal.run("UPDATE inbox SET link = ? WHERE link = ?", to, from);
  }

  keep(key: number, n: number, text: string): void {
    this.#journal.run("INSERT INTO kept VALUES (?, ?, ?)", key, n, text);
  }

  /** Our messages behind `n`. */
  kept(key: number, n: number): string[] {
    const rows = this.#journal.all("SELECT text FROM kept WHERE resumable = ? AND n > ? ORDER BY n", key, n);
    return rows.map(({ text }) => text as string);
  }

  /** The client has ours up to `n`. */
  release(key: number, n: number): void {
    this.#journal.run("DELETE FROM kept WHERE resumable = ? AND n <= ?", key, n);
    this.#journal.run("UPDATE resumable SET received = ? WHERE key = ?", n, key);
  }

  /** With its link, or because too much would have to be kept. */
  remove(link: number): void {
    this.#journal.run("DELETE FROM kept WHERE resumable IN (SELECT key FROM resumable WHERE link = ?)", link);
    this.#journal.run("DELETE FROM resumable WHERE link = ?", link);
  }
}
