"""Text tables that instruments write: `.dat`, `.txt`, `.csv` and any other suffix, told by their content."""

from ingestors.dat.ingestor import Dat

__all__ = ["Dat"]
