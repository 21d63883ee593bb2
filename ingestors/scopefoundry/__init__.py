"""ScopeFoundry's HDF5 files."""

from ingestors.scopefoundry.ingestor import ScopeFoundry

__all__ = ["ScopeFoundry"]
