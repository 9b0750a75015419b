/** The version of the tables below; a store of a higher one was written by a newer ClawKit. */
export const SCHEMA_VERSION = 2;

/** What brings a store from version n to n + 1. A released step is never changed. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE connections (
    id TEXT PRIMARY KEY, openedAt INTEGER NOT NULL, address TEXT NOT NULL, origin TEXT, path TEXT NOT NULL,
    generation INTEGER, clientId TEXT, clientVersion TEXT, role TEXT, incident TEXT,
    closedAt INTEGER, endedBy TEXT, code INTEGER, reason TEXT, phase TEXT, cause TEXT,
    bytesIn INTEGER, bytesOut INTEGER, framesIn INTEGER, framesOut INTEGER, lastActivityAt INTEGER, rttMs REAL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX connections_closedAt ON connections (closedAt);
  CREATE INDEX connections_openedAt ON connections (openedAt);
  CREATE INDEX connections_clientId ON connections (clientId, openedAt) WHERE clientId IS NOT NULL;
  CREATE INDEX connections_address ON connections (address, openedAt);
  CREATE INDEX connections_incident ON connections (incident) WHERE incident IS NOT NULL;

  CREATE TABLE runs (
    key TEXT PRIMARY KEY, role TEXT NOT NULL, startedAt INTEGER NOT NULL, endedAt INTEGER, row TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX runs_startedAt ON runs (startedAt);
  CREATE INDEX runs_open ON runs (role) WHERE endedAt IS NULL;

  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, openedAt INTEGER NOT NULL, closedAt INTEGER, row TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX incidents_openedAt ON incidents (openedAt);
  CREATE INDEX incidents_open ON incidents (openedAt) WHERE closedAt IS NULL;

  CREATE TABLE samples (at INTEGER PRIMARY KEY, row TEXT NOT NULL) STRICT;
  CREATE TABLE notes (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, row TEXT NOT NULL) STRICT;
  CREATE INDEX notes_at ON notes (at);
  `,
  // ends are counted by cause over millions of rows: with the cause in the index no row is read for it
  `
  DROP INDEX connections_closedAt;
  CREATE INDEX connections_closedAt ON connections (closedAt, cause);
  `,
];
