-- What catalogs go on with after the upload is asked for every half minute: a look at these few, however much is done.
CREATE INDEX steps_requested ON steps (catalog)
  WHERE kind = 'ingestion' AND done = 1 AND json_extract(outcome, '$.status') IN ('requested', 'started');
