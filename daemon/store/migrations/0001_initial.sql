-- The instrument's store. Times are ISO 8601 in UTC; paths are bytes, as the file system has them.

-- The transition tables of daemon/model.py, written here when the store is opened; the triggers below obey them.
CREATE TABLE transitions (
  entity TEXT NOT NULL,
  old    TEXT NOT NULL,
  new    TEXT NOT NULL,
  PRIMARY KEY (entity, old, new)
) STRICT, WITHOUT ROWID;

CREATE TABLE facts (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roots (
  id         INTEGER PRIMARY KEY,
  path       BLOB NOT NULL UNIQUE,
  identity   TEXT,              -- JSON: what the folder was when it was last scanned
  scanned_at TEXT,
  problem    TEXT NOT NULL DEFAULT '',   -- why it cannot be watched now
  mode       TEXT NOT NULL DEFAULT ''    -- events, or why it is only scanned
) STRICT;

CREATE TABLE sessions (
  id         INTEGER PRIMARY KEY,
  evidence   TEXT NOT NULL CHECK (evidence IN ('person', 'file', 'path', 'folder', 'gap')),
  key        TEXT NOT NULL,
  name       TEXT NOT NULL,
  attributes TEXT NOT NULL DEFAULT '{}',   -- JSON: what the person or the path provides for its datasets
  state      TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  started_at TEXT NOT NULL,
  ended_at   TEXT NOT NULL,                -- of its last dataset
  active_at  TEXT NOT NULL,                -- when a dataset last joined, on our clock
  closed_at  TEXT,
  changed    INTEGER NOT NULL DEFAULT 0 CHECK (changed IN (0, 1)),   -- its parent record is behind
  UNIQUE (evidence, key)
) STRICT;
CREATE UNIQUE INDEX sessions_one_opened ON sessions (evidence)
  WHERE evidence = 'person' AND state = 'open' AND key LIKE 'opened:%';
CREATE INDEX sessions_open ON sessions (state) WHERE state = 'open';
CREATE INDEX sessions_changed ON sessions (changed) WHERE changed = 1;

CREATE TABLE datasets (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL CHECK (kind IN ('measurement', 'session')),
  root        INTEGER REFERENCES roots (id),
  key         BLOB,                         -- which files it groups; NULL for a session's parent
  session     INTEGER REFERENCES sessions (id),
  unique_id   TEXT UNIQUE,
  state       TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'extracting', 'composed', 'delivered', 'parked')),
  reason      TEXT NOT NULL DEFAULT '',
  revision    INTEGER NOT NULL DEFAULT 0,
  first_seen  TEXT NOT NULL,
  composed_at TEXT,
  ingestor    TEXT NOT NULL DEFAULT '',
  record      TEXT,                         -- JSON: the composed record without its thumbnails
  CHECK ((kind = 'measurement') = (key IS NOT NULL)),
  CHECK (state NOT IN ('composed', 'delivered') OR (unique_id IS NOT NULL AND record IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX datasets_key ON datasets (root, key) WHERE key IS NOT NULL;
CREATE UNIQUE INDEX datasets_parent ON datasets (session) WHERE kind = 'session';
-- Whole indexes: SQLite takes a partial one only for a query that repeats its condition word for word.
CREATE INDEX datasets_state ON datasets (state, first_seen, id);
CREATE INDEX datasets_session ON datasets (session);

CREATE TABLE files (
  id          INTEGER PRIMARY KEY,
  root        INTEGER NOT NULL REFERENCES roots (id),
  folder      BLOB NOT NULL,                -- relative to the root, empty for the root itself
  name        BLOB NOT NULL,
  state       TEXT NOT NULL CHECK (state IN ('seen', 'settling', 'settled', 'vanished', 'ignored')),
  reason      TEXT NOT NULL DEFAULT '',
  size        INTEGER NOT NULL,
  mtime_ns    INTEGER NOT NULL,
  ctime_ns    INTEGER NOT NULL,
  inode       INTEGER NOT NULL,
  device      INTEGER NOT NULL,
  sha256      TEXT CHECK (sha256 IS NULL OR length(sha256) = 64),
  crc32c      INTEGER,
  part_size   INTEGER,
  part_crc32c TEXT,                         -- JSON list of integers
  settled_size INTEGER,                     -- of the bytes that sha256 stands for
  version     INTEGER NOT NULL DEFAULT 1,   -- counts rewrites after delivery; a grown file keeps its version
  dataset     INTEGER REFERENCES datasets (id),
  role        TEXT CHECK (role IN ('primary', 'companion')),
  first_seen  TEXT NOT NULL,
  settled_at  TEXT,
  CHECK (state <> 'settled' OR sha256 IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX files_path ON files (root, folder, name);
CREATE INDEX files_state ON files (state, size);   -- the counts of `status` without reading a row
CREATE INDEX files_dataset ON files (dataset);
CREATE INDEX files_inode ON files (inode);

CREATE TABLE thumbnails (
  dataset  INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  caption  TEXT NOT NULL,
  width    INTEGER NOT NULL,
  height   INTEGER NOT NULL,
  sha256   TEXT NOT NULL,
  png      BLOB NOT NULL,
  PRIMARY KEY (dataset, position)
) STRICT;

CREATE TABLE deliveries (
  id           INTEGER PRIMARY KEY,
  dataset      INTEGER NOT NULL REFERENCES datasets (id),
  revision     INTEGER NOT NULL,
  catalog      TEXT NOT NULL,
  state        TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'waiting', 'delivered', 'parked')),
  attempts     INTEGER NOT NULL DEFAULT 0,
  not_before   TEXT,
  error        TEXT NOT NULL DEFAULT '',
  age          TEXT NOT NULL,               -- the dataset's first_seen: older ones go first
  queued_at    TEXT NOT NULL,
  delivered_at TEXT,
  UNIQUE (dataset, catalog, revision),
  CHECK (state <> 'waiting' OR not_before IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX deliveries_one_owed ON deliveries (dataset, catalog) WHERE state IN ('queued', 'waiting', 'parked');
CREATE UNIQUE INDEX deliveries_one_sending ON deliveries (dataset, catalog) WHERE state = 'sending';
CREATE INDEX deliveries_due ON deliveries (catalog, age, id) WHERE state IN ('queued', 'waiting');
CREATE INDEX deliveries_state ON deliveries (state, catalog);

CREATE TABLE steps (
  dataset INTEGER NOT NULL REFERENCES datasets (id),
  catalog TEXT NOT NULL,
  kind    TEXT NOT NULL,
  key     TEXT NOT NULL,
  digest  TEXT NOT NULL,
  done    INTEGER NOT NULL CHECK (done IN (0, 1)),
  memory  TEXT NOT NULL DEFAULT '{}',       -- JSON: what an unfinished step needs to go on
  outcome TEXT NOT NULL DEFAULT '{}',       -- JSON: what the finished step gave
  at      TEXT NOT NULL,
  PRIMARY KEY (dataset, catalog, kind, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
  id        INTEGER PRIMARY KEY,
  at        TEXT NOT NULL,
  entity    TEXT NOT NULL CHECK (entity IN ('file', 'dataset', 'session', 'delivery', 'root')),
  entity_id INTEGER NOT NULL,
  event     TEXT NOT NULL,
  detail    TEXT NOT NULL DEFAULT '{}'      -- JSON
) STRICT;
CREATE INDEX journal_entity ON journal (entity, entity_id, id);

CREATE TRIGGER files_moves BEFORE UPDATE OF state ON files
WHEN OLD.state <> NEW.state
  AND NOT EXISTS (SELECT 1 FROM transitions WHERE entity = 'file' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a file may not make this move'); END;

CREATE TRIGGER datasets_moves BEFORE UPDATE OF state ON datasets
WHEN OLD.state <> NEW.state
  AND NOT EXISTS (SELECT 1 FROM transitions WHERE entity = 'dataset' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a dataset may not make this move'); END;

CREATE TRIGGER sessions_moves BEFORE UPDATE OF state ON sessions
WHEN OLD.state <> NEW.state
  AND NOT EXISTS (SELECT 1 FROM transitions WHERE entity = 'session' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a session may not make this move'); END;

CREATE TRIGGER deliveries_moves BEFORE UPDATE OF state ON deliveries
WHEN OLD.state <> NEW.state
  AND NOT EXISTS (SELECT 1 FROM transitions WHERE entity = 'delivery' AND old = OLD.state AND new = NEW.state)
BEGIN SELECT RAISE(ABORT, 'a delivery may not make this move'); END;
