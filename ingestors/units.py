"""Units as files write them: kept as they stand, only the spellings of programs that cannot write them are put right.

Standard library only.
"""

from __future__ import annotations

import re
from typing import Final

_BRACKETED: Final = re.compile(r"\[(?:([a-zA-Zµμ]{1,2})_)?([^\[\]]*)\]")
_PREFIXES: Final = frozenset({"Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "µ", "n", "p", "f", "a"})
_NAMED: Final = (
    re.compile(r"^(?P<name>.*\S)\s*\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)?)\)$"),
    re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]*)\]$"),
    re.compile(r"^(?P<name>[^/]*[^/\s])\s*/\s+(?P<unit>\S.*)$"),
    re.compile(r"^(?P<name>[A-Za-z][\w .]*\w)\s*/\s*(?P<unit>[A-Za-zµμΩ°Å%][\w^*./µμΩ°Å⁻¹²³-]*)$"),
)
_NO_UNIT: Final = frozenset({"", "-", "--", "none", "n/a", "na", "null"})


def normalised(unit: str) -> str:
    """The unit without the brackets of EMD-like spellings: `[u_m]` is `um`, `[m]` is `m`; all others as they stand.

    Source: ScopeFoundry's `h5_create_emd_dataset` follows the EMD format's units, a bracket with prefix and unit.
    """
    text = " ".join(unit.split())
    match = _BRACKETED.fullmatch(text)
    if match is None:
        return text
    prefix, base = match[1] or "", match[2].strip()
    return prefix + base if not prefix or prefix in _PREFIXES else f"{prefix}_{base}"


def split_name(text: str) -> tuple[str, str | None]:
    """Name and unit of a column title: `Temperature (K)`, `Q [1/A]`, `Energy / eV`; the unit is None if none is named."""
    title = " ".join(text.split())
    for pattern in _NAMED:
        match = pattern.fullmatch(title)
        if match is not None:
            unit = match["unit"].strip()
            return match["name"].strip(), None if unit.casefold() in _NO_UNIT else normalised(unit)
    return title, None
