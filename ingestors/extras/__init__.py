"""Formats that well-kept readers of the field know: they come with extras, and a file whose extra is missing says which one."""

from ingestors.extras.detectors import Detectors
from ingestors.extras.microscopy import Microscopy

__all__ = ["Detectors", "Microscopy"]
