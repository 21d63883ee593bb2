"""The ingestor of binary files: asks the families in turn."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from ingestors.api import Claim, Extraction, Specificity, UnreadableError
from ingestors.binary.families import FAMILIES
from ingestors.binary.source import opened
from ingestors.dat.reading import extraction

if TYPE_CHECKING:
    from ingestors.api import Candidate

_DAMAGE: Final = (struct.error, ValueError, LookupError, ArithmeticError, TypeError, EOFError, zlib.error)
"""What numbers from a damaged file make of code that takes them for what they should be."""


class Binary:
    """Files of a documented binary format, recognised by their first bytes. Declines all others."""

    name = "binary"
    version = "2"

    def claim(self, candidate: Candidate) -> Claim | None:
        """The tell-tale of the first family that knows the file. Raises OSError."""
        for family in FAMILIES:
            reason = family.recognises(candidate)
            if reason is not None:
                return Claim(Specificity.FORMAT, f"{family.name}: {reason}")
        return None

    def extract(self, candidate: Candidate) -> Extraction:
        """Read the file as its family. Raises UnreadableError with a sentence, and OSError."""
        family = next((family for family in FAMILIES if family.recognises(candidate)), None)
        if family is None:
            raise UnreadableError("The file begins like none of the known binary formats.")
        try:
            with (
                opened(candidate.path) as source,
                np.errstate(all="ignore"),
            ):  # garbage overflows; what comes out is checked
                return extraction(family.read(source, candidate), candidate)
        except _DAMAGE as error:
            raise UnreadableError(f"The {family.name} file is damaged or of an unknown variant ({error}).") from error
