import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { CauseId } from "../core/causes.ts";
import { ClawkitError } from "../core/errors.ts";
import type {
  ClientIdentity,
  ConnectionEnd,
  ConnectionPhase,
  EndedSide,
  Note,
  Sample,
} from "../core/records.ts";
import { migrations, SCHEMA_VERSION } from "./schema.ts";
import type {
  Bounds,
  ConnectionFilter,
  ConnectionRow,
  EndCount,
  IncidentRow,
  RecorderStore,
  RunFilter,
  RunRow,
} from "./store.ts";
import { SAMPLE_THINNING } from "./thinning.ts";

/** Another process (a command that reads) holds a lock for moments only. */
const BUSY_MS = 2_000;

/** Rows that one call of `prune` removes at most, so that writes are never kept waiting for long. */
const PRUNE_ROWS = 5_000;

type Values = Record<string, string | number | null>;

/** The store in a file. Throws what SQLite says: `isCorruption` tells a broken file from other trouble. */
export class SqliteStore implements RecorderStore {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens or makes the file. `readOnly` needs one that is there. */
  constructor(path: string, { readOnly = false }: { readonly readOnly?: boolean } = {}) {
    this.#db = new DatabaseSync(path, { readOnly });
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      if (readOnly) this.#checkReadable();
      else this.#prepareFile();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      // a full disk has rolled back already
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  openConnection(row: Pick<ConnectionRow, "id" | "openedAt" | "address" | "origin" | "path">): void {
    this.#run(
      `INSERT OR IGNORE INTO connections (id, openedAt, address, origin, path)
       VALUES (:id, :openedAt, :address, :origin, :path)`,
      { id: row.id, openedAt: row.openedAt, address: row.address, origin: row.origin, path: row.path },
    );
  }

  serveConnection(id: string, generation: number): void {
    this.#run("UPDATE connections SET generation = :generation WHERE id = :id", { id, generation });
  }

  identifyConnection(id: string, { clientId, clientVersion, role }: ClientIdentity): void {
    this.#run(
      "UPDATE connections SET clientId = :clientId, clientVersion = :clientVersion, role = :role WHERE id = :id",
      { id, clientId, clientVersion, role },
    );
  }

  closeConnection(id: string, end: ConnectionEnd, incident: string | null): void {
    const { at: closedAt, by: endedBy, ...rest } = end;
    this.#run(
      `UPDATE connections SET closedAt = :closedAt, endedBy = :endedBy, code = :code, reason = :reason,
         phase = :phase, cause = :cause, bytesIn = :bytesIn, bytesOut = :bytesOut, framesIn = :framesIn,
         framesOut = :framesOut, lastActivityAt = :lastActivityAt, rttMs = :rttMs, incident = :incident
       WHERE id = :id`,
      { id, closedAt, endedBy, ...rest, incident },
    );
  }

  linkConnections(ids: readonly string[], incident: string): void {
    for (const id of ids) {
      this.#run("UPDATE connections SET incident = :incident WHERE id = :id", { id, incident });
    }
  }

  saveRun(row: RunRow): void {
    this.#run(
      `INSERT INTO runs (key, role, startedAt, endedAt, row) VALUES (:key, :role, :startedAt, :endedAt, :row)
       ON CONFLICT (key) DO UPDATE SET endedAt = excluded.endedAt, row = excluded.row`,
      {
        key: row.key,
        role: row.role,
        startedAt: row.startedAt,
        endedAt: row.endedAt,
        row: JSON.stringify(row),
      },
    );
  }

  saveIncident(row: IncidentRow): void {
    this.#run(
      `INSERT INTO incidents (id, openedAt, closedAt, row) VALUES (:id, :openedAt, :closedAt, :row)
       ON CONFLICT (id) DO UPDATE SET closedAt = excluded.closedAt, row = excluded.row`,
      { id: row.id, openedAt: row.openedAt, closedAt: row.closedAt, row: JSON.stringify(row) },
    );
  }

  addSample(sample: Sample): void {
    this.#run("INSERT OR REPLACE INTO samples (at, row) VALUES (:at, :row)", {
      at: sample.at,
      row: JSON.stringify(sample),
    });
  }

  addNote(note: Note): void {
    this.#run("INSERT INTO notes (at, row) VALUES (:at, :row)", { at: note.at, row: JSON.stringify(note) });
  }

  connection(id: string): ConnectionRow | undefined {
    const found = this.#statement("SELECT * FROM connections WHERE id = :id").get({ id });
    return found === undefined ? undefined : connectionOf(found as unknown as Values);
  }

  connections(filter: ConnectionFilter, limit: number): ConnectionRow[] {
    const { where, values } = conditionOf(filter);
    const order = filter.state === "closed" ? "closedAt" : "openedAt";
    return this.#statement(`SELECT * FROM connections ${where} ORDER BY ${order} DESC, id DESC LIMIT :limit`)
      .all({ ...values, limit })
      .map((row) => connectionOf(row as unknown as Values));
  }

  countConnections(filter: ConnectionFilter): number {
    const { where, values } = conditionOf(filter);
    const { n } = this.#statement(`SELECT count(*) AS n FROM connections ${where}`).get(values) as {
      n: number;
    };
    return n;
  }

  countEnds({ from, to, bucketMs }: { from: number; to: number; bucketMs: number }): EndCount[] {
    // a bucket at a time: sorted by cause, a million rows at once take three times as long
    const bucket = this.#statement(
      `SELECT cause, count(*) AS count FROM connections
       WHERE closedAt BETWEEN :first AND :last GROUP BY cause ORDER BY cause`,
    );
    const counts: EndCount[] = [];
    for (let at = from; at <= to; at += bucketMs) {
      const rows = bucket.all({ first: at, last: Math.min(at + bucketMs - 1, to) });
      for (const row of rows as { cause: CauseId; count: number }[]) counts.push({ at, ...row });
    }
    return counts;
  }

  run(key: string): RunRow | undefined {
    return this.#rows<RunRow>("SELECT row FROM runs WHERE key = :key", { key })[0];
  }

  runs(filter: RunFilter, limit: number): RunRow[] {
    const conditions: string[] = [];
    if (filter.since !== undefined) conditions.push("startedAt >= :since");
    if (filter.until !== undefined) conditions.push("startedAt <= :until");
    if (filter.openOnly === true) conditions.push("endedAt IS NULL");
    if (filter.role !== undefined) conditions.push("role = :role");
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    return this.#rows<RunRow>(
      `SELECT row FROM runs ${where} ORDER BY startedAt DESC, key DESC LIMIT :limit`,
      {
        limit,
        ...(filter.since === undefined ? {} : { since: filter.since }),
        ...(filter.until === undefined ? {} : { until: filter.until }),
        ...(filter.role === undefined ? {} : { role: filter.role }),
      },
    );
  }

  incident(id: string): IncidentRow | undefined {
    return this.#rows<IncidentRow>("SELECT row FROM incidents WHERE id = :id", { id })[0];
  }

  incidents(filter: { openOnly?: boolean; since?: number }, limit: number): IncidentRow[] {
    const open = filter.openOnly === true ? "closedAt IS NULL AND" : "";
    return this.#rows<IncidentRow>(
      `SELECT row FROM incidents WHERE ${open} openedAt >= :since ORDER BY openedAt DESC, id DESC LIMIT :limit`,
      { since: filter.since ?? 0, limit },
    );
  }

  notes(from: number, to: number): Note[] {
    return this.#rows<Note>("SELECT row FROM notes WHERE at BETWEEN :from AND :to ORDER BY at, id", {
      from,
      to,
    });
  }

  samples(from: number, to: number): Sample[] {
    return this.#rows<Sample>("SELECT row FROM samples WHERE at BETWEEN :from AND :to ORDER BY at", {
      from,
      to,
    });
  }

  lastSample(): Sample | undefined {
    return this.#rows<Sample>("SELECT row FROM samples ORDER BY at DESC LIMIT 1", {})[0];
  }

  prune(now: number, bounds: Bounds): number {
    let removed = this.#removeOlder(now - bounds.maxAgeMs);
    removed += this.#thinSamples(now);
    const { n } = this.#statement("SELECT count(*) AS n FROM connections").get() as { n: number };
    if (n > bounds.maxConnections) removed += this.#removeOldest(n - bounds.maxConnections);
    if (this.#bytes() > bounds.maxBytes) removed += this.#removeOldest(PRUNE_ROWS);
    if (removed > 0) this.#db.exec("PRAGMA incremental_vacuum");
    return removed;
  }

  close(): void {
    this.#db.close();
  }

  #removeOlder(before: number): number {
    const tables = [
      ["connections", "id", "closedAt"],
      ["runs", "key", "endedAt"],
      ["incidents", "id", "closedAt"],
      ["samples", "at", "at"],
      ["notes", "id", "at"],
    ] as const;
    let removed = 0;
    for (const [table, key, time] of tables) {
      removed += this.#run(
        `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE ${time} < :before LIMIT ${PRUNE_ROWS})`,
        { before },
      );
    }
    return removed;
  }

  /** Connections that are over go first; they are what there is most of. */
  #removeOldest(count: number): number {
    return this.#run(
      `DELETE FROM connections WHERE id IN
         (SELECT id FROM connections WHERE closedAt IS NOT NULL ORDER BY closedAt LIMIT :count)`,
      { count: Math.min(count, PRUNE_ROWS) },
    );
  }

  #thinSamples(now: number): number {
    let removed = 0;
    for (const { olderThanMs, keepEveryMs } of SAMPLE_THINNING) {
      removed += this.#run(
        `DELETE FROM samples WHERE at IN (
           SELECT at FROM (
             SELECT at, lag(at) OVER (ORDER BY at) AS previous FROM samples WHERE at < :before
           ) WHERE previous IS NOT NULL AND at / ${keepEveryMs} = previous / ${keepEveryMs} LIMIT ${PRUNE_ROWS})`,
        { before: now - olderThanMs },
      );
    }
    return removed;
  }

  /** Pages in use; those of removed rows are given back to the system by and by. */
  #bytes(): number {
    const pragma = (name: string) =>
      Object.values(this.#statement(`PRAGMA ${name}`).get() as object)[0] as number;
    return (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  }

  #prepareFile(): void {
    this.#db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    const version = this.#checkVersion();
    if (version === SCHEMA_VERSION) return;
    this.transaction(() => {
      // another process may have done it while we waited
      for (const step of migrations.slice(this.#version())) this.#db.exec(step);
      this.#db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    });
  }

  /** A file whose recorder has not come to making its tables yet. */
  #checkReadable(): void {
    if (this.#checkVersion() === 0) throw new ClawkitError("NOTHING_RECORDED", "Nothing is recorded yet");
  }

  #checkVersion(): number {
    const version = this.#version();
    if (version <= SCHEMA_VERSION) return version;
    throw new ClawkitError(
      "STATE_UNUSABLE",
      `Cannot use the flight recorder's store as it has version ${version}, and this ClawKit knows ${SCHEMA_VERSION}: update ClawKit`,
    );
  }

  #version(): number {
    return (this.#db.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
  }

  #run(sql: string, values: Values): number {
    return Number(this.#statement(sql).run(values).changes);
  }

  #rows<T>(sql: string, values: Values): T[] {
    return this.#statement(sql)
      .all(values)
      .map((found) => JSON.parse((found as { row: string }).row) as T);
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

function conditionOf(filter: ConnectionFilter): { where: string; values: Values } {
  const conditions: string[] = [];
  const values: Values = {};
  if (filter.state === "live") conditions.push("closedAt IS NULL");
  if (filter.state === "closed") conditions.push("closedAt IS NOT NULL");
  if (filter.since !== undefined) {
    conditions.push("(closedAt >= :since OR (closedAt IS NULL AND openedAt >= :since))");
    values.since = filter.since;
  }
  if (filter.incident !== undefined) {
    conditions.push("incident = :incident");
    values.incident = filter.incident;
  }
  if (filter.client !== undefined) {
    conditions.push("(clientId = :client OR address = :client)");
    values.client = filter.client;
  }
  if (filter.openedBetween !== undefined) {
    conditions.push("openedAt BETWEEN :from AND :to AND generation IS NOT NULL");
    [values.from, values.to] = filter.openedBetween as [number, number];
  }
  if (filter.openedUntil !== undefined) {
    conditions.push("openedAt <= :until");
    values.until = filter.openedUntil;
  }
  return { where: conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`, values };
}

function connectionOf(row: Values): ConnectionRow {
  const text = (name: string) => row[name] as string | null;
  const number = (name: string) => row[name] as number;
  return {
    id: text("id")!,
    openedAt: number("openedAt"),
    address: text("address")!,
    origin: text("origin"),
    path: text("path")!,
    generation: row.generation as number | null,
    clientId: text("clientId"),
    clientVersion: text("clientVersion"),
    role: text("role"),
    incident: text("incident"),
    end:
      row.closedAt === null
        ? null
        : {
            at: number("closedAt"),
            by: text("endedBy") as EndedSide,
            code: row.code as number | null,
            reason: text("reason")!,
            phase: text("phase") as ConnectionPhase,
            cause: text("cause") as CauseId,
            bytesIn: number("bytesIn"),
            bytesOut: number("bytesOut"),
            framesIn: number("framesIn"),
            framesOut: number("framesOut"),
            lastActivityAt: number("lastActivityAt"),
            rttMs: row.rttMs as number | null,
          },
  };
}
