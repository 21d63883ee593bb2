"""x-y patterns: pyFAI, FIT2D, SPECS, and bare columns of two or three numbers."""

from ingestors.xy.ingestor import XY

__all__ = ["XY"]
