"""What labferry knows, on disk: one SQLite file. No network here."""
