import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ResumableTable } from "./resumable-table.ts";
import { JOURNAL_VERSION, TABLES } from "./schema.ts";

/** A gateway before this one may hold the file for the moment of its last commit. */
const BUSY_MS = 2_000;

/** How far a link has come. */
export interface Positions {
  /** Messages of the client that are stored, or done. */
  readonly stored: number;
  /** Messages to it. */
  readonly emitted: number;
  /** Events among them. */
  readonly seq: number;
}

const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;

export interface LinkRow extends Positions {
  readonly key: number;
  readonly id: string;
  /** Of our messages those that its edge has. */
  readonly received: number;
  readonly state: string;
}

export interface InboxRow {
  /** Its own, whatever link it belongs to. */
  readonly id: number;
  readonly link: number;
  readonly n: number;
  readonly text: string;
  readonly at: number;
  readonly starts: number;
  readonly kills: number;
}

export interface OutboxRow {
  readonly n: number;
  readonly text: string;
}

/** Somebody else opened the journal since: a gateway that was restarted while this one still ran. */
export class NotOwner extends Error {
  constructor(own: number, owner: number) {
    super(`Cannot write the journal as generation ${own}: generation ${owner} owns it now`);
  }
}

/** Whether it is what SQLite says, and not what a method says. */
export function isOfJournal(error: unknown): boolean {
  return (error as { errcode?: number } | undefined)?.errcode !== undefined;
}

/** A ClawKit of another version wrote it. */
export class OtherVersion extends Error {}

export interface JournalOptions {
  /** Of the gateway that opens it. */
  readonly generation: number;
  /** Whether a commit waits until the disk has it. */
  readonly isDurable: boolean;
}

/**
 * What a gateway has promised, in a file that survives it: every message that it acknowledged and has not answered,
 * every message that it emitted and its edge has not received. Nothing is written outside `commit`, and nothing leaves the process before
 * its commit returned (docs/link-protocol.md).
 */
export class Journal {
  readonly #db: DatabaseSync;
  readonly #generation: number;
  readonly #statements = new Map<string, StatementSync>();
  readonly resumable: ResumableTable;
  #isInCommit = false;

  /** Opens or makes the file, and takes it over from the gateway before. Throws what SQLite says. */
  constructor(path: string, { generation, isDurable }: JournalOptions) {
    this.#generation = generation;
    this.#db = new DatabaseSync(path);
    this.resumable = new ResumableTable(this);
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      this.#db.exec("PRAGMA journal_mode = WAL");
      // NORMAL is safe against the death of the process, FULL against that of the machine
      this.#db.exec(`PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"}`);
      this.#check();
      this.#takeOver();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** What is broken inside is found now, and not by a client. */
  #check(): void {
    const { quick_check: found } = this.#db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (found !== "ok") throw Object.assign(new Error(found), { errcode: SQLITE_CORRUPT });
  }

  #takeOver(): void {
    const { user_version: version } = this.#db.prepare("PRAGMA user_version").get() as {
      user_version: number;
    };
    if (version !== 0 && version !== JOURNAL_VERSION) {
      throw new OtherVersion(`version ${version}, this ClawKit writes version ${JOURNAL_VERSION}`);
    }
    this.#db.exec("BEGIN IMMEDIATE");
    if (version === 0) this.#db.exec(`${TABLES} PRAGMA user_version = ${JOURNAL_VERSION};`);
    this.run(
      "INSERT INTO owner VALUES (1, ?) ON CONFLICT DO UPDATE SET generation = excluded.generation",
      this.#generation,
    );
    this.run("DELETE FROM kept WHERE resumable NOT IN (SELECT key FROM resumable)");
    this.#db.exec("COMMIT");
  }

  /** All of `work` is written, or nothing. Throws NotOwner, or what SQLite says (a full disk): then nothing is. */
  commit(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const { generation } = this.get("SELECT generation FROM owner") as { generation: number };
      if (generation !== this.#generation) throw new NotOwner(this.#generation, generation);
      this.#isInCommit = true;
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      // a full disk has rolled back already
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    } finally {
      this.#isInCommit = false;
    }
  }

  links(): LinkRow[] {
    return this.all("SELECT * FROM links ORDER BY key") as unknown as LinkRow[];
  }

  /** In the order in which they were stored. */
  unfinished(): InboxRow[] {
    return this.all("SELECT * FROM inbox ORDER BY id") as unknown as InboxRow[];
  }

  /** Returns the key of the new link. */
  addLink(id: string, state: string): number {
    const { lastInsertRowid } = this.run(
      "INSERT INTO links (id, stored, emitted, received, seq, state) VALUES (?, 0, 0, 0, 0, ?)",
      id,
      state,
    );
    return Number(lastInsertRowid);
  }

  setPositions(key: number, { stored, emitted, seq }: Positions): void {
    this.run("UPDATE links SET stored = ?, emitted = ?, seq = ? WHERE key = ?", stored, emitted, seq, key);
  }

  setState(key: number, state: string): void {
    this.run("UPDATE links SET state = ? WHERE key = ?", state, key);
  }

  removeLink(key: number): void {
    this.run("DELETE FROM links WHERE key = ?", key);
    this.run("DELETE FROM inbox WHERE link = ?", key);
    this.run("DELETE FROM outbox WHERE link = ?", key);
    this.resumable.remove(key);
  }

  /** Returns the row's id. */
  store({ link, n, text, at, starts, kills }: Omit<InboxRow, "id">): number {
    const { lastInsertRowid } = this.run(
      "INSERT INTO inbox (link, n, text, at, starts, kills) VALUES (?, ?, ?, ?, ?, ?)",
      link,
      n,
      text,
      at,
      starts,
      kills,
    );
    return Number(lastInsertRowid);
  }

  begin(id: number, { starts, kills }: Pick<InboxRow, "starts" | "kills">): void {
    this.run("UPDATE inbox SET starts = ?, kills = ? WHERE id = ?", starts, kills, id);
  }

  setText(id: number, text: string): void {
    this.run("UPDATE inbox SET text = ? WHERE id = ?", text, id);
  }

  /** The gateway ends as planned: what is under way is not the cause. */
  absolve(): void {
    this.run("UPDATE inbox SET starts = 0, kills = 0");
  }

  finish(id: number): void {
    this.run("DELETE FROM inbox WHERE id = ?", id);
  }

  emit(link: number, n: number, text: string, broadcast: number | null = null): void {
    this.run("INSERT INTO outbox VALUES (?, ?, ?, ?)", link, n, text, broadcast);
  }

  /** The beginning of an event that many get; each adds its own end. */
  broadcast(head: string): number {
    return Number(this.run("INSERT INTO broadcasts (head) VALUES (?)", head).lastInsertRowid);
  }

  /** The edge has the link's messages up to `n`. */
  release(link: number, n: number): void {
    this.run("DELETE FROM outbox WHERE link = ? AND n <= ?", link, n);
    this.run("UPDATE links SET received = ? WHERE key = ?", n, link);
  }

  /** Forgets events that everybody has. */
  dropBroadcasts(): void {
    this.run(
      "DELETE FROM broadcasts WHERE id < coalesce((SELECT min(broadcast) FROM outbox), (SELECT max(id) + 1 FROM broadcasts))",
    );
  }

  /** The link's messages behind `n`. */
  outbox(link: number, n: number): OutboxRow[] {
    return this.all(
      "SELECT n, coalesce(head, '') || text AS text FROM outbox LEFT JOIN broadcasts ON id = broadcast WHERE link = ? AND n > ? ORDER BY n",
      link,
      n,
    ) as unknown as OutboxRow[];
  }

  close(): void {
    this.#db.close();
  }

  /** For what else is promised (devices, work for nodes): writes within a commit. */
  run(sql: string, ...values: (string | number | null)[]) {
    // a full disk ends a transaction in its middle
    if (this.#isInCommit && !this.#db.isTransaction)
      throw Object.assign(new Error("the journal's transaction is over"), { errcode: SQLITE_FULL });
    return this.#statement(sql).run(...values);
  }

  get(sql: string, ...values: (string | number | null)[]) {
    return this.#statement(sql).get(...values);
  }

  all(sql: string, ...values: (string | number | null)[]) {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}
