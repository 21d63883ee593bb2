"""The ingestors: plugins that read instrument files. Usable alone, in a notebook: they import nothing of `daemon`."""
