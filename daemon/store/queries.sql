-- Every query of the store by its name. Parameters are named; nothing is put together from text.

-- name: forget_transitions
DELETE FROM transitions

-- name: add_transition
INSERT INTO transitions (entity, old, new) VALUES (:entity, :old, :new)

-- name: fact
SELECT value FROM facts WHERE key = :key

-- name: set_fact
INSERT INTO facts (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: add_root
INSERT INTO roots (path) VALUES (:path) ON CONFLICT (path) DO NOTHING

-- name: root_by_path
SELECT * FROM roots WHERE path = :path

-- name: set_root_identity
UPDATE roots SET identity = :identity WHERE id = :id

-- name: set_root_problem
UPDATE roots SET problem = :problem WHERE id = :id

-- name: set_root_mode
UPDATE roots SET mode = :mode WHERE id = :id

-- name: set_root_scanned
UPDATE roots SET scanned_at = :at WHERE id = :id

-- name: files_in_folder
SELECT id, name, state, size, mtime_ns, ctime_ns, inode, device, dataset FROM files WHERE root = :root AND folder = :folder

-- name: folders_with_files
SELECT DISTINCT folder FROM files WHERE root = :root AND state NOT IN ('vanished', 'ignored')

-- name: some_file
SELECT 1 FROM files LIMIT 1

-- name: file
SELECT * FROM files WHERE id = :id

-- name: file_by_path
SELECT * FROM files WHERE root = :root AND folder = :folder AND name = :name

-- name: files_by_inode
SELECT * FROM files WHERE inode = :inode AND root = :root

-- name: unsettled_files
SELECT * FROM files WHERE state IN ('seen', 'settling') ORDER BY id

-- name: unsettled_up_to
SELECT COUNT(*) AS count FROM (SELECT 1 FROM files WHERE state IN ('seen', 'settling') LIMIT :most)

-- name: files_of_dataset
SELECT * FROM files WHERE dataset = :dataset AND state NOT IN ('vanished', 'ignored') ORDER BY role DESC, folder, name

-- name: files_under
SELECT folder, name FROM files WHERE root = :root AND folder = :folder AND name >= :beginning AND name < :beginning_end
  AND state NOT IN ('vanished', 'ignored')
UNION
SELECT folder, name FROM files WHERE root = :root AND folder >= :prefix AND folder < :prefix_end
  AND state NOT IN ('vanished', 'ignored')

-- name: file_is_present
SELECT 1 FROM files WHERE root = :root AND folder = :folder AND name = :name AND state NOT IN ('vanished', 'ignored')

-- name: present_files_of_root
SELECT id, folder, name FROM files WHERE root = :root AND state NOT IN ('vanished', 'ignored') LIMIT :limit

-- name: add_file
INSERT INTO files (root, folder, name, state, size, mtime_ns, ctime_ns, inode, device, first_seen)
VALUES (:root, :folder, :name, 'seen', :size, :mtime_ns, :ctime_ns, :inode, :device, :at)

-- name: set_file_state
UPDATE files SET state = :state, reason = :reason WHERE id = :id

-- name: set_file_reason
UPDATE files SET reason = :reason WHERE id = :id AND reason <> :reason

-- name: set_file_fingerprint
UPDATE files SET size = :size, mtime_ns = :mtime_ns, ctime_ns = :ctime_ns, inode = :inode, device = :device WHERE id = :id

-- name: settle_file
UPDATE files SET state = 'settled', reason = :reason, size = :size, mtime_ns = :mtime_ns, ctime_ns = :ctime_ns, inode = :inode,
  device = :device, sha256 = :sha256, crc32c = :crc32c, part_size = :part_size, part_crc32c = :part_crc32c,
  settled_size = :size, version = :version, settled_at = :at
WHERE id = :id

-- name: move_file
UPDATE files SET folder = :folder, name = :name WHERE id = :id

-- name: assign_file
UPDATE files SET dataset = :dataset, role = :role WHERE id = :id

-- name: file_counts
SELECT state, COUNT(*) AS count, TOTAL(size) AS bytes FROM files GROUP BY state

-- name: dataset
SELECT * FROM datasets WHERE id = :id

-- name: dataset_by_key
SELECT * FROM datasets WHERE root = :root AND key = :key

-- name: dataset_by_unique_id
SELECT id FROM datasets WHERE unique_id = :unique_id

-- name: add_dataset
INSERT INTO datasets (kind, root, key, state, first_seen) VALUES ('measurement', :root, :key, 'waiting', :at)

-- name: delete_dataset
DELETE FROM datasets WHERE id = :id

-- name: set_dataset_state
UPDATE datasets SET state = :state, reason = :reason WHERE id = :id

-- name: datasets_parked_for
SELECT * FROM datasets WHERE state = 'parked' AND reason = :reason

-- name: dataset_open_members
SELECT 1 AS count FROM files WHERE dataset = :dataset AND state IN ('seen', 'settling') LIMIT 1

-- name: dataset_settled_members
SELECT 1 AS count FROM files WHERE dataset = :dataset AND state = 'settled' LIMIT 1

-- name: last_dataset
SELECT MAX(id) AS id FROM datasets

-- name: datasets_to_reingest
SELECT id FROM datasets
WHERE id > :after AND id <= :last AND kind = 'measurement' AND state = 'delivered'
  AND (:ingestor IS NULL OR ingestor = :ingestor) AND (:since IS NULL OR first_seen >= :since)
ORDER BY id LIMIT :limit

-- name: work_below_root
SELECT 1 FROM files WHERE root = :root AND state IN ('seen', 'settling')
UNION ALL
SELECT 1 FROM datasets WHERE root = :root AND state IN ('waiting', 'ready', 'extracting')
UNION ALL
SELECT 1 FROM deliveries d JOIN datasets s ON s.id = d.dataset
WHERE s.root = :root AND s.state <> 'parked' AND d.state IN ('queued', 'sending', 'waiting')
LIMIT 1

-- name: delivered_files_of_root
SELECT COUNT(*) AS count FROM files f JOIN datasets d ON d.id = f.dataset
WHERE f.root = :root AND f.state = 'settled' AND d.state = 'delivered'

-- name: suspect_dataset
UPDATE deliveries SET attempts = MAX(attempts, 1) WHERE dataset = :dataset AND state IN ('queued', 'waiting')

-- name: next_ready_dataset
SELECT * FROM datasets WHERE state = 'ready' ORDER BY first_seen, id LIMIT 1

-- name: requeue_extracting
UPDATE datasets SET state = 'ready' WHERE state = 'extracting'

-- name: compose_dataset
UPDATE datasets SET state = 'composed', reason = '', revision = :revision, unique_id = :unique_id, session = :session,
  ingestor = :ingestor, record = :record, composed_at = :at WHERE id = :id

-- name: dataset_counts
SELECT state, COUNT(*) AS count FROM datasets WHERE kind = 'measurement' GROUP BY state

-- name: waiting_or_parked_datasets
SELECT * FROM datasets WHERE state IN ('waiting', 'parked') AND kind = 'measurement' ORDER BY first_seen, id LIMIT :limit

-- name: parked_datasets
SELECT * FROM datasets WHERE state = 'parked' ORDER BY first_seen, id

-- name: datasets_in_work
SELECT COUNT(*) AS count FROM (SELECT 1 FROM datasets WHERE state IN ('waiting', 'ready', 'extracting') LIMIT :most)

-- name: forget_thumbnails
DELETE FROM thumbnails WHERE dataset = :dataset

-- name: add_thumbnail
INSERT INTO thumbnails (dataset, position, part, name, caption, width, height, sha256, png)
VALUES (:dataset, :position, :part, :name, :caption, :width, :height, :sha256, :png)

-- name: thumbnails
SELECT * FROM thumbnails WHERE dataset = :dataset ORDER BY position

-- name: session_pictures
SELECT t.png FROM datasets d JOIN thumbnails t ON t.dataset = d.id AND t.position = 0
WHERE d.session = :session AND d.kind = 'measurement' ORDER BY d.first_seen DESC, d.id DESC LIMIT :most

-- name: purge_thumbnails
DELETE FROM thumbnails WHERE dataset IN (
  SELECT id FROM datasets WHERE state = 'delivered' AND kind = 'measurement' AND composed_at < :before
    AND (session IS NULL OR session NOT IN (SELECT id FROM sessions WHERE state = 'open')))

-- name: add_session
INSERT INTO sessions (evidence, key, name, attributes, state, started_at, ended_at, active_at, changed)
VALUES (:evidence, :key, :name, :attributes, 'open', :started_at, :ended_at, :at, 1)

-- name: session
SELECT * FROM sessions WHERE id = :id

-- name: session_by_key
SELECT * FROM sessions WHERE evidence = :evidence AND key = :key

-- name: opened_session
SELECT * FROM sessions WHERE evidence = 'person' AND state = 'open' AND key LIKE 'opened:%'

-- name: gap_sessions_near
SELECT * FROM sessions WHERE evidence = 'gap' AND ended_at >= :earliest AND started_at <= :latest ORDER BY started_at

-- name: extend_session
UPDATE sessions SET started_at = MIN(started_at, :at), ended_at = MAX(ended_at, :at), active_at = :now, changed = 1 WHERE id = :id

-- name: close_session
UPDATE sessions SET state = 'closed', closed_at = :at, changed = 1 WHERE id = :id

-- name: idle_sessions
SELECT * FROM sessions WHERE state = 'open' AND active_at < :before AND NOT (evidence = 'person' AND key LIKE 'opened:%')

-- name: changed_sessions
SELECT * FROM sessions WHERE changed = 1 ORDER BY id

-- name: session_is_current
UPDATE sessions SET changed = 0 WHERE id = :id

-- name: sessions
SELECT s.*, (SELECT COUNT(*) FROM datasets d WHERE d.session = s.id AND d.kind = 'measurement') AS count
FROM sessions s ORDER BY s.started_at DESC LIMIT :limit

-- name: sessions_named
SELECT * FROM sessions WHERE name = :name ORDER BY started_at

-- name: measurements_of_session
SELECT * FROM datasets WHERE session = :session AND kind = 'measurement' ORDER BY first_seen, id

-- name: session_summary
SELECT COUNT(*) AS count, SUM((SELECT TOTAL(f.size) FROM files f WHERE f.dataset = d.id AND f.state = 'settled')) AS bytes
FROM datasets d WHERE d.session = :session AND d.kind = 'measurement'

-- name: parent_of_session
SELECT * FROM datasets WHERE session = :session AND kind = 'session'

-- name: session_of_parent
SELECT session FROM datasets WHERE unique_id = :unique_id AND kind = 'session'

-- name: set_unique_id
UPDATE datasets SET unique_id = :unique_id WHERE id = :id

-- name: change_parent_id
UPDATE datasets SET record = json_set(record, '$.parent_id', :new)
WHERE session = :session AND kind = 'measurement' AND json_extract(record, '$.parent_id') = :old

-- name: rename_session
UPDATE sessions SET name = :name WHERE id = :session

-- name: rename_session_of_datasets
UPDATE datasets SET record = json_set(record, '$.attributes.session_name[0]', :new)
WHERE session = :session AND kind = 'measurement' AND json_extract(record, '$.attributes.session_name[0]') = :old

-- name: add_parent
INSERT INTO datasets (kind, session, unique_id, state, first_seen, record, ingestor)
VALUES ('session', :session, :unique_id, 'composed', :at, :record, 'session')

-- name: compose_parent
UPDATE datasets SET state = 'composed', revision = :revision, record = :record, composed_at = :at WHERE id = :id

-- name: owed_delivery
SELECT * FROM deliveries WHERE dataset = :dataset AND catalog = :catalog AND state IN ('queued', 'waiting', 'parked')

-- name: delete_delivery
DELETE FROM deliveries WHERE id = :id

-- name: add_delivery
INSERT INTO deliveries (dataset, revision, catalog, state, age, queued_at, attempts)
VALUES (:dataset, :revision, :catalog, 'queued', :age, :at, :attempts)

-- name: due_delivery
SELECT d.id FROM deliveries d JOIN datasets s ON s.id = d.dataset
WHERE d.catalog = :catalog
  AND d.state IN ('queued', 'waiting')   -- the index deliveries_due, in its order
  AND (d.state = 'queued' OR d.not_before <= :now)
  AND s.state IN ('composed', 'delivered')
  AND d.dataset IS NOT :besides
  AND (:most IS NULL OR (SELECT TOTAL(f.size) FROM files f WHERE f.dataset = d.dataset AND f.state = 'settled') <= :most)
  AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.dataset = d.dataset AND o.catalog = d.catalog AND o.state = 'sending')
ORDER BY d.age, d.id LIMIT 1

-- name: next_due
SELECT MIN(not_before) AS at FROM deliveries WHERE catalog = :catalog AND state = 'waiting'

-- name: hurry_far
UPDATE deliveries SET not_before = :now WHERE state = 'waiting' AND not_before > :latest

-- name: suspect_deliveries
UPDATE deliveries SET attempts = MAX(attempts, 1) WHERE state IN ('queued', 'sending', 'waiting', 'parked')

-- name: inherit_attempts
UPDATE deliveries SET attempts = attempts + :attempts WHERE id = :id

-- name: lease_delivery
UPDATE deliveries SET state = 'sending', attempts = attempts + 1 WHERE id = :id

-- name: delivery
SELECT * FROM deliveries WHERE id = :id

-- name: finish_delivery
UPDATE deliveries SET state = :state, error = :error, not_before = :not_before, delivered_at = :delivered_at WHERE id = :id

-- name: requeue_sending
UPDATE deliveries SET state = 'queued' WHERE state = 'sending'

-- name: sending_deliveries
SELECT id, dataset, catalog, attempts FROM deliveries WHERE state = 'sending'

-- name: undelivered_of_dataset
SELECT COUNT(*) AS count FROM deliveries WHERE dataset = :dataset AND state <> 'delivered'

-- name: deliveries_of_dataset
SELECT * FROM deliveries WHERE dataset = :dataset ORDER BY catalog, revision

-- name: delivery_counts
SELECT catalog, state, COUNT(*) AS count FROM deliveries GROUP BY state, catalog

-- name: skipped_deliveries
SELECT catalog, error, COUNT(*) AS count FROM deliveries WHERE state = 'delivered' AND error <> '' GROUP BY catalog, error

-- name: deliveries_in_work
SELECT COUNT(*) AS count FROM (
  SELECT 1 FROM deliveries d JOIN datasets s ON s.id = d.dataset
  WHERE d.state IN ('queued', 'sending', 'waiting') AND s.state <> 'parked' LIMIT :most)

-- name: parked_deliveries
SELECT d.*, s.unique_id, s.key FROM deliveries d JOIN datasets s ON s.id = d.dataset WHERE d.state = 'parked' ORDER BY d.age, d.id

-- name: failing_deliveries
SELECT d.*, s.unique_id, s.key FROM deliveries d JOIN datasets s ON s.id = d.dataset
WHERE d.state IN ('parked', 'waiting') AND d.error <> '' ORDER BY d.age, d.id LIMIT :limit

-- name: retry_waiting
UPDATE deliveries SET state = 'queued', not_before = NULL WHERE state = 'waiting' AND catalog = :catalog

-- name: steps
SELECT kind, key, digest, done, memory, outcome, at FROM steps WHERE dataset = :dataset AND catalog = :catalog

-- name: remember_step
INSERT INTO steps (dataset, catalog, kind, key, digest, done, memory, at)
VALUES (:dataset, :catalog, :kind, :key, :digest, 0, :memory, :at)
ON CONFLICT (dataset, catalog, kind, key) DO UPDATE SET digest = excluded.digest, done = 0, memory = excluded.memory, at = excluded.at

-- name: finish_step
INSERT INTO steps (dataset, catalog, kind, key, digest, done, outcome, at)
VALUES (:dataset, :catalog, :kind, :key, :digest, 1, :outcome, :at)
ON CONFLICT (dataset, catalog, kind, key)
DO UPDATE SET digest = excluded.digest, done = 1, memory = '{}', outcome = excluded.outcome, at = excluded.at

-- name: open_requests
SELECT dataset, kind, key, at, outcome FROM steps
WHERE kind = 'ingestion' AND done = 1 AND json_extract(outcome, '$.status') IN ('requested', 'started') AND catalog = :catalog

-- name: set_step_outcome
UPDATE steps SET outcome = :outcome WHERE dataset = :dataset AND catalog = :catalog AND kind = :kind AND key = :key AND done = 1

-- name: file_was_sent
SELECT 1 FROM steps WHERE dataset = :dataset AND kind = 'file' AND digest = :sha256 LIMIT 1

-- name: add_journal
INSERT INTO journal (at, entity, entity_id, event, detail) VALUES (:at, :entity, :entity_id, :event, :detail)

-- name: journal_of
SELECT * FROM journal WHERE entity = :entity AND entity_id = :entity_id ORDER BY id

-- name: recent_journal
SELECT * FROM journal ORDER BY id DESC LIMIT :limit

-- name: set_dataset_key
UPDATE datasets SET key = :key WHERE id = :id

-- name: release_files
UPDATE files SET dataset = NULL, role = NULL WHERE dataset = :dataset

-- name: forget_owed_deliveries
DELETE FROM deliveries WHERE dataset = :dataset AND state IN ('queued', 'waiting', 'parked')

-- name: owed_deliveries
SELECT id, catalog, state, error FROM deliveries WHERE state IN ('queued', 'waiting', 'parked')

-- name: park_delivery
UPDATE deliveries SET state = 'parked', error = :error, not_before = NULL WHERE id = :id

-- name: delivered_datasets
SELECT * FROM datasets WHERE state = 'delivered' AND kind = 'measurement' ORDER BY first_seen, id

-- name: open_delivery_counts
SELECT state, COUNT(*) AS count FROM deliveries WHERE state IN ('queued', 'sending', 'waiting', 'parked') GROUP BY state
