-- The embedded catalog. Times are ISO 8601; ids that leave the server are mfids, the integers stay inside.

CREATE TABLE facts (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every id that has been given out, and of which kind it is.
CREATE TABLE resources (
  unique_id TEXT PRIMARY KEY,
  type      TEXT NOT NULL CHECK (type IN ('dataset', 'sample', 'instrument', 'project'))
) STRICT, WITHOUT ROWID;

CREATE TABLE projects (
  id                INTEGER PRIMARY KEY,
  unique_id         TEXT NOT NULL UNIQUE REFERENCES resources (unique_id),
  project_id        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  title             TEXT,
  organization      TEXT NOT NULL DEFAULT '',
  details           TEXT NOT NULL DEFAULT '{}',   -- JSON: what else was sent
  creation_time     TEXT NOT NULL,
  modification_time TEXT NOT NULL
) STRICT;

CREATE TABLE instruments (
  id                INTEGER PRIMARY KEY,
  unique_id         TEXT NOT NULL UNIQUE REFERENCES resources (unique_id),
  instrument_id     TEXT NOT NULL UNIQUE COLLATE NOCASE,
  instrument_name   TEXT NOT NULL,
  details           TEXT NOT NULL DEFAULT '{}',
  creation_time     TEXT NOT NULL,
  modification_time TEXT NOT NULL
) STRICT;
CREATE INDEX instruments_name ON instruments (instrument_name);

CREATE TABLE samples (
  id                INTEGER PRIMARY KEY,
  unique_id         TEXT NOT NULL UNIQUE REFERENCES resources (unique_id),
  sample_name       TEXT NOT NULL,
  project           INTEGER REFERENCES projects (id),
  public            INTEGER NOT NULL DEFAULT 0 CHECK (public IN (0, 1)),
  hidden            INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),
  details           TEXT NOT NULL DEFAULT '{}',
  creation_time     TEXT NOT NULL,
  modification_time TEXT NOT NULL
) STRICT;
CREATE INDEX samples_name ON samples (sample_name);

CREATE TABLE datasets (
  id                INTEGER PRIMARY KEY,
  unique_id         TEXT NOT NULL UNIQUE REFERENCES resources (unique_id),
  dataset_name      TEXT,
  project           INTEGER REFERENCES projects (id),
  instrument        INTEGER REFERENCES instruments (id),
  measurement       TEXT,
  data_type         TEXT,
  data_format       TEXT,
  session_name      TEXT,
  timestamp         TEXT,
  owner             TEXT NOT NULL,
  public            INTEGER NOT NULL DEFAULT 0 CHECK (public IN (0, 1)),
  size              INTEGER NOT NULL DEFAULT 0,              -- bytes of all its files
  provided          TEXT NOT NULL DEFAULT '[]',              -- JSON: the attributes that no ingestor may change
  hidden            INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)),   -- its deletion was requested
  creation_time     TEXT NOT NULL,
  modification_time TEXT NOT NULL
) STRICT;
-- Each serves a filter, its page after page (unique_id downwards) and its facet.
CREATE INDEX datasets_newest ON datasets (unique_id) WHERE hidden = 0;
CREATE INDEX datasets_session ON datasets (session_name, unique_id, timestamp) WHERE hidden = 0;
CREATE INDEX datasets_measurement ON datasets (measurement, unique_id) WHERE hidden = 0;
CREATE INDEX datasets_format ON datasets (data_format, unique_id) WHERE hidden = 0;
CREATE INDEX datasets_instrument ON datasets (instrument, unique_id) WHERE hidden = 0;
CREATE INDEX datasets_project ON datasets (project, unique_id) WHERE hidden = 0;
CREATE INDEX datasets_owner ON datasets (owner, unique_id) WHERE hidden = 0;
CREATE INDEX datasets_name ON datasets (dataset_name, unique_id) WHERE hidden = 0;

CREATE TABLE metadata (
  unique_id TEXT PRIMARY KEY REFERENCES resources (unique_id),
  document  TEXT NOT NULL                                    -- JSON object
) STRICT;

CREATE TABLE keywords (
  id           INTEGER PRIMARY KEY,
  keyword      TEXT NOT NULL UNIQUE,
  num_datasets INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE dataset_keywords (
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  keyword INTEGER NOT NULL REFERENCES keywords (id),
  PRIMARY KEY (dataset, keyword)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_keywords_keyword ON dataset_keywords (keyword, dataset);
CREATE TRIGGER keyword_added AFTER INSERT ON dataset_keywords BEGIN
  UPDATE keywords SET num_datasets = num_datasets + 1 WHERE id = new.keyword;
END;
CREATE TRIGGER keyword_removed AFTER DELETE ON dataset_keywords BEGIN
  UPDATE keywords SET num_datasets = num_datasets - 1 WHERE id = old.keyword;
END;

CREATE TABLE dataset_samples (
  dataset INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  sample  INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
  PRIMARY KEY (dataset, sample)
) STRICT, WITHOUT ROWID;
CREATE INDEX dataset_samples_sample ON dataset_samples (sample, dataset);

-- Parent and child are both datasets, or both samples; read "child `relationship` parent".
CREATE TABLE links (
  parent       TEXT NOT NULL REFERENCES resources (unique_id) ON DELETE CASCADE,
  child        TEXT NOT NULL REFERENCES resources (unique_id) ON DELETE CASCADE,
  relationship TEXT,
  PRIMARY KEY (parent, child),
  CHECK (parent <> child)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_child ON links (child, parent);

CREATE TABLE thumbnails (
  id        INTEGER PRIMARY KEY,
  dataset   INTEGER NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
  name      TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  sha256    TEXT NOT NULL,
  image     BLOB NOT NULL,
  UNIQUE (dataset, name, sha256)                              -- the same picture never stands there twice
) STRICT;

CREATE TABLE files (
  id              INTEGER PRIMARY KEY,
  mfid            TEXT NOT NULL UNIQUE,
  dataset         INTEGER NOT NULL REFERENCES datasets (id),
  filename        TEXT NOT NULL,
  size            INTEGER,
  sha256          TEXT,
  crc32c          TEXT,                                       -- base64 of the big-endian value, as on the wire
  etag            TEXT NOT NULL,
  storage_backend TEXT NOT NULL,
  storage_path    TEXT,
  access_note     TEXT,
  content         TEXT,                                       -- name of the content on disk; NULL: only catalogued
  creation_time   TEXT NOT NULL,
  UNIQUE (dataset, filename)
) STRICT;
CREATE INDEX files_sha256 ON files (sha256);
CREATE UNIQUE INDEX files_content ON files (content) WHERE content IS NOT NULL;
CREATE TRIGGER file_added AFTER INSERT ON files BEGIN
  UPDATE datasets SET size = size + coalesce(new.size, 0) WHERE id = new.dataset;
END;
CREATE TRIGGER file_changed AFTER UPDATE OF size ON files BEGIN
  UPDATE datasets SET size = size + coalesce(new.size, 0) - coalesce(old.size, 0) WHERE id = new.dataset;
END;
CREATE TRIGGER file_removed AFTER DELETE ON files BEGIN
  UPDATE datasets SET size = size - coalesce(old.size, 0) WHERE id = old.dataset;
END;

CREATE TABLE uploads (
  id              TEXT PRIMARY KEY,
  route           TEXT NOT NULL CHECK (route IN ('signed', 'resumable')),
  dataset         INTEGER NOT NULL REFERENCES datasets (id),
  filename        TEXT NOT NULL,
  size            INTEGER NOT NULL CHECK (size >= 0),
  sha256          TEXT NOT NULL,
  part_size       INTEGER NOT NULL CHECK (part_size > 0),
  idempotency_key TEXT,
  replaces        INTEGER REFERENCES files (id) ON DELETE CASCADE,
  etag            TEXT,                                       -- of the file to replace, when the upload began
  state           TEXT NOT NULL CHECK (state IN ('uploading', 'complete')),
  file            TEXT,                                       -- mfid of the file that it became
  creation_time   TEXT NOT NULL,
  CHECK ((state = 'complete') = (file IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX uploads_idempotency ON uploads (dataset, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX uploads_open ON uploads (state) WHERE state = 'uploading';

CREATE TABLE parts (
  upload TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number >= 1),
  crc32c TEXT NOT NULL,
  PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;

-- Content that no file names any more; removed from the disk after the transaction that put it here.
CREATE TABLE discarded (
  content TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE ingestion_requests (
  id               INTEGER PRIMARY KEY,
  file             INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
  status           TEXT NOT NULL,
  ingestion_class  TEXT,
  ingestor         TEXT,                                      -- which one read it, with its version
  ingestion_githash TEXT,
  message          TEXT,
  time_requested   TEXT NOT NULL,
  time_started     TEXT,
  time_completed   TEXT
) STRICT;
CREATE INDEX ingestion_requests_file ON ingestion_requests (file);
CREATE INDEX ingestion_requests_open ON ingestion_requests (status, id) WHERE status IN ('requested', 'started');

CREATE TABLE deletion_requests (
  id             INTEGER PRIMARY KEY,
  resource_id    TEXT NOT NULL REFERENCES resources (unique_id),
  reason         TEXT,
  status         TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'rejected')),
  request_time   TEXT NOT NULL,
  review_time    TEXT,
  reviewer_notes TEXT
) STRICT;
CREATE UNIQUE INDEX deletion_requests_pending ON deletion_requests (resource_id) WHERE status = 'pending';

-- Full text, one row per dataset (rowid = datasets.id). Filled from `unindexed`, which the triggers keep: a dataset
-- that is written ten times in a second is indexed once, and a search brings the index up to date before it looks.
-- (NOT EXISTS, because the conflict clause of the statement that fires a trigger overrides an OR IGNORE within it.)
CREATE VIRTUAL TABLE search USING fts5 (
  name, measurement, session, instrument, keywords, other, metadata,
  tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);

CREATE TABLE unindexed (
  dataset INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER datasets_indexed_insert AFTER INSERT ON datasets BEGIN
  INSERT INTO unindexed SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = new.id);
END;
CREATE TRIGGER datasets_indexed_update
  AFTER UPDATE OF dataset_name, measurement, session_name, instrument, project, data_type, data_format ON datasets
BEGIN
  INSERT INTO unindexed SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = new.id);
END;
CREATE TRIGGER metadata_indexed_insert AFTER INSERT ON metadata BEGIN
  INSERT INTO unindexed SELECT id FROM datasets WHERE unique_id = new.unique_id
    AND NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = datasets.id);
END;
CREATE TRIGGER metadata_indexed_update AFTER UPDATE ON metadata BEGIN
  INSERT INTO unindexed SELECT id FROM datasets WHERE unique_id = new.unique_id
    AND NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = datasets.id);
END;
CREATE TRIGGER keywords_indexed AFTER INSERT ON dataset_keywords BEGIN
  INSERT INTO unindexed SELECT new.dataset WHERE NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = new.dataset);
END;
CREATE TRIGGER samples_indexed AFTER INSERT ON dataset_samples BEGIN
  INSERT INTO unindexed SELECT new.dataset WHERE NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = new.dataset);
END;
CREATE TRIGGER files_indexed AFTER INSERT ON files BEGIN
  INSERT INTO unindexed SELECT new.dataset WHERE NOT EXISTS (SELECT 1 FROM unindexed WHERE dataset = new.dataset);
END;
