-- name: unindexed
SELECT dataset FROM unindexed ORDER BY dataset LIMIT :count

-- name: text_of_dataset
SELECT d.unique_id, d.dataset_name, d.measurement, d.session_name, d.data_type, d.data_format,
  (SELECT i.instrument_name || ' ' || i.instrument_id FROM instruments i WHERE i.id = d.instrument) AS instrument,
  (SELECT p.project_id || ' ' || coalesce(p.title, '') FROM projects p WHERE p.id = d.project) AS project,
  (SELECT group_concat(k.keyword, ' ') FROM dataset_keywords dk JOIN keywords k ON k.id = dk.keyword
    WHERE dk.dataset = d.id) AS keywords,
  (SELECT group_concat(s.sample_name || ' ' || s.unique_id, ' ') FROM dataset_samples ds
    JOIN samples s ON s.id = ds.sample WHERE ds.dataset = d.id) AS samples,
  (SELECT group_concat(filename, ' ') FROM (SELECT f.filename FROM files f WHERE f.dataset = d.id LIMIT 1000)) AS files,
  (SELECT m.document FROM metadata m WHERE m.unique_id = d.unique_id) AS metadata
FROM datasets d WHERE d.id = :dataset

-- name: delete_search
DELETE FROM search WHERE rowid = :dataset

-- name: insert_search
INSERT INTO search (rowid, name, measurement, session, instrument, keywords, other, metadata)
VALUES (:dataset, :name, :measurement, :session, :instrument, :keywords, :other, :metadata)

-- name: indexed
DELETE FROM unindexed WHERE dataset = :dataset

-- name: read_dataset
SELECT d.*, p.project_id, p.unique_id AS project_mfid, p.title AS project_title,
  i.instrument_id, i.unique_id AS instrument_mfid, i.instrument_name
FROM datasets d LEFT JOIN projects p ON p.id = d.project LEFT JOIN instruments i ON i.id = d.instrument
WHERE d.unique_id = :unique_id

-- name: read_metadata
SELECT document FROM metadata WHERE unique_id = :unique_id

-- name: read_keywords
SELECT k.keyword, k.num_datasets FROM dataset_keywords dk JOIN keywords k ON k.id = dk.keyword
WHERE dk.dataset = :dataset ORDER BY k.keyword

-- name: read_samples
SELECT s.unique_id, s.sample_name FROM dataset_samples ds JOIN samples s ON s.id = ds.sample
WHERE ds.dataset = :dataset AND s.hidden = 0 ORDER BY s.sample_name

-- name: read_files
SELECT * FROM files WHERE dataset = :dataset ORDER BY filename

-- name: read_thumbnails
SELECT id, name, mime_type, sha256 FROM thumbnails WHERE dataset = :dataset ORDER BY id

-- name: read_thumbnail
SELECT t.id, t.name, t.mime_type, t.sha256, t.image FROM thumbnails t WHERE t.id = :id

-- name: read_ingestions
SELECT r.*, f.filename FROM ingestion_requests r JOIN files f ON f.id = r.file WHERE f.dataset = :dataset ORDER BY r.id

-- name: read_links
SELECT l.parent AS unique_id, 'source' AS direction, l.relationship, r.type,
  coalesce(d.dataset_name, s.sample_name) AS name, coalesce(d.hidden, s.hidden, 0) AS hidden
FROM links l JOIN resources r ON r.unique_id = l.parent
LEFT JOIN datasets d ON d.unique_id = l.parent LEFT JOIN samples s ON s.unique_id = l.parent
WHERE l.child = :unique_id
UNION ALL
SELECT l.child, 'target', l.relationship, r.type, coalesce(d.dataset_name, s.sample_name), coalesce(d.hidden, s.hidden, 0)
FROM links l JOIN resources r ON r.unique_id = l.child
LEFT JOIN datasets d ON d.unique_id = l.child LEFT JOIN samples s ON s.unique_id = l.child
WHERE l.parent = :unique_id

-- name: read_totals
SELECT (SELECT count(*) FROM datasets WHERE hidden = 0) AS datasets,
  (SELECT count(DISTINCT session_name) FROM datasets WHERE hidden = 0) AS sessions,
  (SELECT count(*) FROM instruments) AS instruments,
  (SELECT count(*) FROM files) AS files,
  (SELECT total(size) FROM datasets WHERE hidden = 0) AS bytes

-- name: read_fact
SELECT value FROM facts WHERE key = :key

-- name: write_fact
INSERT INTO facts (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING

-- name: resource_type
SELECT type FROM resources WHERE unique_id = :unique_id

-- name: register_resource
INSERT INTO resources (unique_id, type) VALUES (:unique_id, :type) ON CONFLICT (unique_id) DO NOTHING

-- name: project_by_mfid
SELECT id, project_id FROM projects WHERE unique_id = :unique_id

-- name: project_by_slug
SELECT id FROM projects WHERE project_id = :project_id

-- name: instrument_by_mfid
SELECT id, instrument_id FROM instruments WHERE unique_id = :unique_id

-- name: instrument_by_slug
SELECT id FROM instruments WHERE instrument_id = :instrument_id

-- name: instrument_by_name
SELECT id FROM instruments WHERE instrument_name = :instrument_name ORDER BY id LIMIT 1

-- name: sample_by_mfid
SELECT id, sample_name FROM samples WHERE unique_id = :unique_id

-- name: sample_by_name
SELECT id FROM samples WHERE sample_name = :sample_name AND project IS :project ORDER BY id LIMIT 1

-- name: insert_project
INSERT INTO projects (unique_id, project_id, title, organization, details, creation_time, modification_time)
VALUES (:unique_id, :project_id, :title, :organization, :details, :now, :now)

-- name: insert_instrument
INSERT INTO instruments (unique_id, instrument_id, instrument_name, details, creation_time, modification_time)
VALUES (:unique_id, :instrument_id, :instrument_name, :details, :now, :now)

-- name: insert_sample
INSERT INTO samples (unique_id, sample_name, project, public, details, creation_time, modification_time)
VALUES (:unique_id, :sample_name, :project, :public, :details, :now, :now)

-- name: insert_dataset
INSERT INTO datasets (unique_id, dataset_name, project, instrument, measurement, data_type, data_format, session_name,
  timestamp, owner, public, provided, creation_time, modification_time)
VALUES (:unique_id, :dataset_name, :project, :instrument, :measurement, :data_type, :data_format, :session_name,
  :timestamp, :owner, :public, :provided, :now, :now)

-- name: write_metadata
INSERT INTO metadata (unique_id, document) VALUES (:unique_id, :document)
ON CONFLICT (unique_id) DO UPDATE SET document = excluded.document

-- name: touch_dataset
UPDATE datasets SET modification_time = :now WHERE id = :dataset

-- name: keyword_key
SELECT id FROM keywords WHERE keyword = :keyword

-- name: insert_keyword
INSERT INTO keywords (keyword) VALUES (:keyword)

-- name: attach_keyword
INSERT INTO dataset_keywords (dataset, keyword) VALUES (:dataset, :keyword) ON CONFLICT DO NOTHING

-- name: read_keyword
SELECT keyword, num_datasets FROM keywords WHERE id = :id

-- name: list_keywords
SELECT keyword, num_datasets FROM keywords WHERE num_datasets > 0 ORDER BY keyword LIMIT :limit

-- name: same_thumbnail
SELECT * FROM thumbnails WHERE dataset = :dataset AND name = :name AND sha256 = :sha256

-- name: one_thumbnail
SELECT * FROM thumbnails WHERE dataset = :dataset AND id = :id

-- name: all_thumbnails
SELECT * FROM thumbnails WHERE dataset = :dataset ORDER BY id

-- name: thumbnail_by_sha256
SELECT id FROM thumbnails WHERE dataset = :dataset AND sha256 = :sha256

-- name: insert_thumbnail
INSERT INTO thumbnails (dataset, name, mime_type, sha256, image) VALUES (:dataset, :name, :mime_type, :sha256, :image)

-- name: change_thumbnail
UPDATE thumbnails SET name = :name, mime_type = :mime_type, sha256 = :sha256, image = :image WHERE id = :id

-- name: delete_thumbnail
DELETE FROM thumbnails WHERE dataset = :dataset AND id = :id

-- name: attach_sample
INSERT INTO dataset_samples (dataset, sample) VALUES (:dataset, :sample) ON CONFLICT DO NOTHING

-- name: detach_sample
DELETE FROM dataset_samples WHERE dataset = :dataset AND sample = :sample

-- name: write_link
INSERT INTO links (parent, child, relationship) VALUES (:parent, :child, :relationship)
ON CONFLICT (parent, child) DO UPDATE SET relationship = coalesce(excluded.relationship, relationship)

-- name: delete_link
DELETE FROM links WHERE parent = :parent AND child = :child

-- name: linked_datasets_of_sample
SELECT d.unique_id, d.dataset_name FROM dataset_samples ds JOIN datasets d ON d.id = ds.dataset
WHERE ds.sample = :sample AND d.hidden = 0 ORDER BY d.unique_id DESC

-- name: is_ancestor
WITH RECURSIVE above (unique_id) AS (
  SELECT parent FROM links WHERE child = :of UNION SELECT l.parent FROM links l JOIN above a ON l.child = a.unique_id
) SELECT 1 FROM above WHERE unique_id = :candidate

-- name: dataset_key
SELECT id FROM datasets WHERE unique_id = :unique_id AND hidden = 0

-- name: visible_type
SELECT type FROM resources r WHERE unique_id = :unique_id
  AND NOT EXISTS (SELECT 1 FROM datasets d WHERE d.unique_id = r.unique_id AND d.hidden = 1)
  AND NOT EXISTS (SELECT 1 FROM samples s WHERE s.unique_id = r.unique_id AND s.hidden = 1)

-- name: file_by_mfid
SELECT f.*, d.unique_id AS dataset_mfid FROM files f JOIN datasets d ON d.id = f.dataset
WHERE f.mfid = :mfid AND d.hidden = 0

-- name: file_by_name
SELECT f.*, d.unique_id AS dataset_mfid FROM files f JOIN datasets d ON d.id = f.dataset
WHERE f.dataset = :dataset AND f.filename = :filename

-- name: files_of_dataset
SELECT f.*, d.unique_id AS dataset_mfid FROM files f JOIN datasets d ON d.id = f.dataset
WHERE f.dataset = :dataset ORDER BY f.id

-- name: insert_file
INSERT INTO files (mfid, dataset, filename, size, sha256, crc32c, etag, storage_backend, storage_path, access_note,
  content, creation_time)
VALUES (:mfid, :dataset, :filename, :size, :sha256, :crc32c, :etag, :storage_backend, :storage_path, :access_note,
  :content, :now)

-- name: replace_file
UPDATE files SET size = :size, sha256 = :sha256, crc32c = :crc32c, etag = :etag, content = :content,
  storage_backend = 'gcs', storage_path = :storage_path WHERE id = :id

-- name: change_file
UPDATE files SET storage_path = :storage_path, access_note = :access_note, size = :size, sha256 = :sha256,
  filename = :filename, storage_backend = :storage_backend WHERE id = :id

-- name: delete_file
DELETE FROM files WHERE id = :id

-- name: discard
INSERT OR IGNORE INTO discarded (content) VALUES (:content)

-- name: discarded
SELECT content FROM discarded

-- name: forget_discarded
DELETE FROM discarded WHERE content = :content

-- name: upload
SELECT u.*, d.unique_id AS dataset_mfid FROM uploads u JOIN datasets d ON d.id = u.dataset WHERE u.id = :id

-- name: upload_by_key
SELECT u.*, d.unique_id AS dataset_mfid FROM uploads u JOIN datasets d ON d.id = u.dataset
WHERE u.dataset = :dataset AND u.idempotency_key = :key

-- name: insert_upload
INSERT INTO uploads (id, route, dataset, filename, size, sha256, part_size, idempotency_key, replaces, etag, state,
  creation_time)
VALUES (:id, :route, :dataset, :filename, :size, :sha256, :part_size, :key, :replaces, :etag, 'uploading', :now)

-- name: complete_upload
UPDATE uploads SET state = 'complete', file = :file WHERE id = :id

-- name: delete_upload
DELETE FROM uploads WHERE id = :id

-- name: open_uploads
SELECT id, size, sha256 FROM uploads WHERE state = 'uploading'

-- name: delete_stale_uploads
DELETE FROM uploads WHERE creation_time < :before

-- name: parts
SELECT number, crc32c FROM parts WHERE upload = :upload AND number > :after ORDER BY number LIMIT :limit

-- name: part
SELECT crc32c FROM parts WHERE upload = :upload AND number = :number

-- name: count_parts
SELECT count(*) AS count, max(number) AS last FROM parts WHERE upload = :upload

-- name: write_part
INSERT INTO parts (upload, number, crc32c) VALUES (:upload, :number, :crc32c)
ON CONFLICT (upload, number) DO UPDATE SET crc32c = excluded.crc32c

-- name: delete_part
DELETE FROM parts WHERE upload = :upload AND number = :number

-- name: delete_parts
DELETE FROM parts WHERE upload = :upload

-- name: insert_request
INSERT INTO ingestion_requests (file, status, ingestion_class, time_requested) VALUES (:file, :status, :class, :now)

-- name: request
SELECT r.*, f.mfid AS file_mfid, d.unique_id AS dataset_mfid FROM ingestion_requests r
JOIN files f ON f.id = r.file JOIN datasets d ON d.id = f.dataset WHERE r.id = :id

-- name: change_request
UPDATE ingestion_requests SET status = :status, ingestion_class = coalesce(:class, ingestion_class),
  ingestion_githash = coalesce(:githash, ingestion_githash), time_completed = coalesce(:completed, time_completed)
WHERE id = :id

-- name: requeue
UPDATE ingestion_requests SET status = 'requested', time_started = NULL WHERE status = 'started'

-- name: next_request
SELECT r.*, f.dataset, f.filename, f.content, f.mfid AS file_mfid, d.unique_id AS dataset_mfid FROM ingestion_requests r
JOIN files f ON f.id = r.file JOIN datasets d ON d.id = f.dataset
WHERE r.status = 'requested' ORDER BY r.id LIMIT 1

-- name: start_request
UPDATE ingestion_requests SET status = 'started', time_started = :now WHERE id = :id

-- name: finish_request
UPDATE ingestion_requests SET status = :status, ingestor = :ingestor, message = :message, time_completed = :now
WHERE id = :id

-- name: hide_dataset
UPDATE datasets SET hidden = :hidden, modification_time = :now WHERE unique_id = :unique_id

-- name: hide_sample
UPDATE samples SET hidden = :hidden, modification_time = :now WHERE unique_id = :unique_id

-- name: insert_deletion
INSERT INTO deletion_requests (resource_id, reason, status, request_time) VALUES (:resource, :reason, 'pending', :now)

-- name: pending_deletion
SELECT id FROM deletion_requests WHERE resource_id = :resource AND status = 'pending'

-- name: deletion
SELECT q.*, r.type, coalesce(d.dataset_name, s.sample_name) AS name, p.project_id, p.unique_id AS project_mfid
FROM deletion_requests q JOIN resources r ON r.unique_id = q.resource_id
LEFT JOIN datasets d ON d.unique_id = q.resource_id LEFT JOIN samples s ON s.unique_id = q.resource_id
LEFT JOIN projects p ON p.id = coalesce(d.project, s.project) WHERE q.id = :id

-- name: deletions
SELECT q.*, r.type, coalesce(d.dataset_name, s.sample_name) AS name, p.project_id, p.unique_id AS project_mfid
FROM deletion_requests q JOIN resources r ON r.unique_id = q.resource_id
LEFT JOIN datasets d ON d.unique_id = q.resource_id LEFT JOIN samples s ON s.unique_id = q.resource_id
LEFT JOIN projects p ON p.id = coalesce(d.project, s.project)
WHERE (:status IS NULL OR q.status = :status) AND q.id > :after ORDER BY q.id LIMIT :limit

-- name: review_deletion
UPDATE deletion_requests SET status = :status, review_time = :now, reviewer_notes = :notes WHERE id = :id

-- name: ping
SELECT 1
