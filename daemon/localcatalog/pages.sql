-- What only the pages ask for. Every query reads a bounded number of rows through an index.

-- name: measurements
-- Jumps from one value to the next in the index, so that 100,000 datasets of ten measurements cost ten steps.
WITH RECURSIVE step (value) AS (
  SELECT min(measurement) FROM datasets WHERE hidden = 0
  UNION ALL
  SELECT (SELECT min(measurement) FROM datasets WHERE hidden = 0 AND measurement > step.value)
  FROM step WHERE step.value IS NOT NULL
)
SELECT value FROM step WHERE value IS NOT NULL AND value <> '' LIMIT 200

-- name: instruments
SELECT DISTINCT instrument_name AS value FROM instruments i
WHERE EXISTS (SELECT 1 FROM datasets d WHERE d.hidden = 0 AND d.instrument = i.id) ORDER BY value COLLATE NOCASE LIMIT 200

-- name: recent_sessions
SELECT session_name AS value, max(unique_id) AS newest
FROM (SELECT session_name, unique_id FROM datasets WHERE hidden = 0 ORDER BY unique_id DESC LIMIT 2000)
WHERE session_name IS NOT NULL AND session_name <> '' GROUP BY session_name ORDER BY newest DESC LIMIT 50

-- name: any_dataset
SELECT 1 FROM datasets WHERE hidden = 0 LIMIT 1

-- name: session_summary
SELECT count(*) AS count, min(timestamp) AS first, max(timestamp) AS last
FROM datasets WHERE hidden = 0 AND session_name = :session

-- name: sessions_page
SELECT session_name AS name, count(*) AS count, min(timestamp) AS first, max(timestamp) AS last, max(unique_id) AS newest
FROM datasets WHERE hidden = 0 AND session_name > '' GROUP BY session_name
HAVING max(unique_id) < :before ORDER BY newest DESC LIMIT :count

-- name: session_instruments
SELECT instrument_name AS value FROM instruments i
WHERE EXISTS (SELECT 1 FROM (SELECT instrument FROM datasets WHERE hidden = 0 AND session_name = :session
  ORDER BY unique_id DESC LIMIT 500) d WHERE d.instrument = i.id) ORDER BY value LIMIT 5

-- name: session_strip
SELECT d.unique_id, d.dataset_name AS name, d.data_format, t.id AS thumbnail, t.sha256
FROM datasets d LEFT JOIN thumbnails t ON t.id = (SELECT min(id) FROM thumbnails WHERE dataset = d.id)
WHERE d.hidden = 0 AND d.session_name = :session ORDER BY d.unique_id DESC LIMIT 8

-- name: picture
SELECT t.image, t.sha256 FROM thumbnails t JOIN datasets d ON d.id = t.dataset WHERE t.id = :id AND d.hidden = 0

-- name: provided
SELECT provided FROM datasets WHERE unique_id = :unique_id

-- name: content
SELECT f.filename, f.content FROM files f JOIN datasets d ON d.id = f.dataset WHERE f.mfid = :mfid AND d.hidden = 0
