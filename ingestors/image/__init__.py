"""Pictures: photographs, micrographs, camera frames and stacks of them, in the formats that Pillow and tifffile read."""

from ingestors.image.ingestor import Image
from ingestors.image.opening import thumbnails
from ingestors.image.sections import microscope_text

__all__ = ["Image", "microscope_text", "thumbnails"]
