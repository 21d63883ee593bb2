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
