"""The embedded catalog: a small server that speaks the Crucible v3 API, with pages to look at."""
