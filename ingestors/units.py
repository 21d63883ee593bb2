"""Units as files write them: kept as they stand, only the spellings of programs that cannot write them are put right.

Standard library only.
"""

from __future__ import annotations

import re
from typing import Final

_BRACKETED: Final = re.compile(r"\[(?:([a-zA-Zµμ]{1,2})_)?([^\[\]]*)\]")
_PREFIXES: Final = frozenset(
    {"Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "µ", "n", "p", "f", "a"}
)
_NAMED: Final = (
    re.compile(r"^(?P<name>.*\S)\s*\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)?)\)$"),
    re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]*)\]$"),
    re.compile(r"^(?P<name>[^/]*[^/\s])\s*/\s+(?P<unit>\S.*)$"),
    re.compile(r"^(?P<name>[A-Za-z](?:[\w .]*\w)?)\s*/\s*(?P<unit>[A-Za-zµμΩ°Å%][\w^*./µμΩ°Å⁻¹²³-]*)$"),
)
_SYMBOLS: Final = (
    "m|g|s|A|K|mol|cd|Hz|N|Pa|J|W|C|V|F|[Oo]hms?|Ω|Ω|S|Wb|T|H|lm|lx|Bq|Gy|Sv|kat|[Ll]|eV|Oe|G|bar|torr|Torr|psi|"
    "rad|sr|deg|b|B|cts|cps|samples?|counts?|pts|px|pix|pixels?|emu|min|h|hr|hours?|d|days?|sec|secs|seconds?|minutes?|"
    "degrees?|°|°C|°F|degC|deg_C|degF|Celsius|Å|Å|[Aa]ng|[Aa]ngstroe?ms?|a\\.u|arb|[Aa]rb\\.?units|amu|u|Da|dBm|dB|Vpp|Vrms|rms|rpm|sccm|STP|atm|"
    "wt|at|vol|ppm|ppb|sq|steps?|turns?|bits?|bytes?|M|RH|mHg|RIU|AU|ec"
)
_UNIT_WORD: Final = re.compile(rf"(?:[YZEPTGMkhdcmunpfaµμ]|da)?(?:{_SYMBOLS})\.?|%")
_UNIT_GLUE: Final = re.compile(r"\*\*|[\s*/·.×()^\-+−⁻¹²³⁰⁴-⁹\d]+|_(?=[a-zA-Z])")  # noqa: RUF001 the signs that units are written with
_COUNT_RATE: Final = re.compile(r"k?(counts?|cts|cps)\s*/\s*\w+")
_WORD: Final = re.compile(r"[a-zµ][a-zµ .]{0,15}")
_NO_UNIT_WORDS: Final = frozenset(
    {
        "raw",
        "norm",
        "normalized",
        "normalised",
        "log",
        "fit",
        "avg",
        "mean",
        "calc",
        "x",
        "y",
        "z",
        "k",
        "q",
        "filt",
        "bwd",
        "fwd",
    }
)
_MOST_WORDS: Final = 5
_LONGEST: Final = 32
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
    if _COUNT_RATE.fullmatch(title):
        return title, None
    for pattern in _NAMED:
        match = pattern.fullmatch(title)
        if match is not None:
            unit = match["unit"].strip()
            if unit.casefold() in _NO_UNIT:
                return match["name"].strip(), None
            if _believed(title[match.end("name") :], unit):
                return match["name"].strip(), normalised(unit)
    return title, None


def _believed(rest: str, unit: str) -> bool:
    """Whether what follows a name is a unit: "chi(k)" and "I(Q)" name functions, "dRef (SD)" a kind of error."""
    if is_unit(unit) or (rest.lstrip()[0] == "[" and _WORD.fullmatch(unit)):
        return True
    return rest[0] == " " and _WORD.fullmatch(unit) is not None and unit not in _NO_UNIT_WORDS


def is_unit(text: str) -> bool:
    """Whether a text looks like a unit: `V`, `mA/cm^2`, `1/A`, `°C`, `emu`, but not `x` or `q`."""
    word = normalised(text).strip()
    if not word or len(word) > _LONGEST or word in "-+.":
        return False
    if word in {"°", "%", "'", "a.u.", "arb. units", "arb.u."}:
        return True
    parts = [part for part in _UNIT_GLUE.split(word.replace("per ", "/")) if part]
    return 0 < len(parts) <= _MOST_WORDS and all(_UNIT_WORD.fullmatch(part) for part in parts) and word[0] not in ")*"
