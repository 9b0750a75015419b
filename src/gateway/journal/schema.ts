/** Version of the tables below; a journal of another version is put aside (docs/link-protocol.md). */
export const JOURNAL_VERSION = 2;

export const TABLES = `
CREATE TABLE owner (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- who may write: the gateway of this generation, and nobody else
  generation INTEGER NOT NULL
) STRICT;
CREATE TABLE links (
  -- never one that another link had: something of that one may still be under way
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- messages of the client that are stored or done; messages of ours that are emitted; those that the edge has
  stored INTEGER NOT NULL,
  emitted INTEGER NOT NULL,
  received INTEGER NOT NULL,
  -- of its events, as the protocol counts them
  seq INTEGER NOT NULL,
  -- what the gateway knows of the client, as JSON
  state TEXT NOT NULL
) STRICT;
-- messages of clients that are not answered yet
CREATE TABLE inbox (
  -- never one that another message had: work on that one may still be under way
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  link INTEGER NOT NULL,
  n INTEGER NOT NULL,
  text TEXT NOT NULL,
  -- wall-clock milliseconds
  at INTEGER NOT NULL,
  -- how often work on it was begun, but for those that a kill from outside ended
  starts INTEGER NOT NULL,
  -- how often such a kill ended it
  kills INTEGER NOT NULL
) STRICT;
-- messages to clients that their edge has not received yet
CREATE TABLE outbox (
  link INTEGER NOT NULL,
  n INTEGER NOT NULL,
  -- of an event that many get only the end is here
  text TEXT NOT NULL,
  broadcast INTEGER,
  PRIMARY KEY (link, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE broadcasts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  head TEXT NOT NULL
) STRICT;
-- devices that were paired, as JSON: what each may do, its tokens as digests
CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- devices that ask to be paired, or to do more: the event that told of it
CREATE TABLE pairing_requests (
  id TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  role TEXT NOT NULL,
  -- wall-clock milliseconds
  at INTEGER NOT NULL,
  request TEXT NOT NULL,
  UNIQUE (device, role)
) STRICT, WITHOUT ROWID;
-- what nodes were asked to do and have not answered
CREATE TABLE invokes (
  id TEXT PRIMARY KEY,
  -- of who asked, and the id of its request
  link INTEGER NOT NULL,
  request TEXT NOT NULL,
  node_link INTEGER NOT NULL,
  node TEXT NOT NULL,
  command TEXT NOT NULL,
  params TEXT,
  key TEXT NOT NULL,
  -- wall-clock milliseconds
  deadline INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX invokes_of ON invokes (link);
CREATE INDEX invokes_for ON invokes (node_link);
-- what waits for nodes that are away
CREATE TABLE node_work (
  id TEXT PRIMARY KEY,
  node TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('item', 'action')),
  -- an item's type, an action's idempotency key
  key TEXT NOT NULL,
  rank INTEGER NOT NULL,
  at INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  content TEXT NOT NULL,
  UNIQUE (node, kind, key)
) STRICT;
-- one row while no work is begun
CREATE TABLE suspension (
  suspension TEXT NOT NULL,
  request TEXT NOT NULL,
  phase TEXT NOT NULL,
  -- wall-clock milliseconds
  expires INTEGER NOT NULL
) STRICT;
-- how often a node's items changed
CREATE TABLE node_revisions (
  node TEXT PRIMARY KEY,
  revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- sessions that their clients may resume over another link
CREATE TABLE resumable (
  key INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- of the secret that resumes it
  digest TEXT NOT NULL,
  link INTEGER NOT NULL UNIQUE,
  -- messages of the client that are stored or done; messages of ours; those that the client has
  taken INTEGER NOT NULL,
  emitted INTEGER NOT NULL,
  received INTEGER NOT NULL,
  -- the client's last move to another link, as it numbers them
  attempt INTEGER NOT NULL,
  -- wall-clock milliseconds; null while the client is there
  leftAt INTEGER
) STRICT;
-- messages to clients that those have not confirmed
CREATE TABLE kept (
  resumable INTEGER NOT NULL,
  n INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (resumable, n)
) STRICT, WITHOUT ROWID;
`;
