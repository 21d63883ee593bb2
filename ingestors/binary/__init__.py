"""Binary, zipped and XML files of instruments: one small module for each family, an ingestor that asks them in turn."""

from ingestors.binary.ingestor import Binary

__all__ = ["Binary"]
