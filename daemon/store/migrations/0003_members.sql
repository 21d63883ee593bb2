-- Whether a dataset waits for a member is asked for each of them: a look, and not a count of 45,000 others.
CREATE INDEX files_members ON files (dataset, state);
DROP INDEX files_dataset;
