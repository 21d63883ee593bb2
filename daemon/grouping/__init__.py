"""Files to datasets, datasets to sessions. Pure: no files, no database, no clock."""
