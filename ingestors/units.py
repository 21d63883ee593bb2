"""Units as files write them: kept as they stand, only the spellings of programs that cannot write them are put right.

What a unit means stands in `ucum`; here is where units stand in titles, and which words of a title surely are one.
Standard library only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ingestors.ucum import ucum

_BRACKETED: Final = re.compile(r"\[(?:([a-zA-Zµμ]{1,2})_)?([^\[\]]*)\]")
_PREFIXES: Final = frozenset(
    {"Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "µ", "n", "p", "f", "a"}
)
_NAMED: Final = (
    re.compile(r"^(?P<name>.*\S)\s*\((?P<unit>[^()]*(?:\([^()]*\)[^()]*)?)\)$"),
    re.compile(r"^(?P<name>.*\S)\s*\[(?P<unit>[^\[\]]*)\]$"),
    re.compile(r"^(?P<name>[^/]*[^/\s])\s*/\s+(?P<unit>\S.*)$"),
    re.compile(r"^(?P<name>[A-Za-z][\w .]*\w)\s*/\s*(?P<unit>[A-Za-zµμΩ°Å%][\w^*./µμΩ°Å⁻¹²³-]*)$"),
)
_NO_UNIT: Final = frozenset({"", "-", "--", "none", "n/a", "na", "null"})

# Symbols that take a decimal prefix: the SI, what it accepts, and what instruments write instead.
_SYMBOLS: Final = """
    m g s sec A K mol cd Hz N Pa J W C V F Ω ohm Ohm S Wb T H rad Bq Gy Sv L l eV bar emu Torr torr G Oe barn M B
"""
# Symbols and words that stand alone.
_WORDS: Final = """
    deg degree degrees ° °C °F degC degF Deg Degrees Å Ang Angstrom Angstroms angstrom angstroms Angs min h hr hrs d day
    days hour hours minutes seconds second count counts Counts cts cps CPS cpm CPM cnts c a.u. a.u au AU arb arb. arbitrary u u.
    units unit % percent ppm ppb dB dBm px pix pixel pixels pts points steps sr rpm RPM Da kDa wt% at% vol% in inch mil psi
    atm Kelvin kelvin Volt Volts volt volts Amp Amps amps Watt Watts Hertz nanometers Tesla Gauss Pascal Celsius radian
    radians meter meters frames photons ph e electrons sqrt 1 CCD ML Vs arcsec ADC ADU µ rms cc STP per vs vs. Ref Ref. bit
    bits cycles pulses
    sccm SCCM slm SLM slpm smL sL scans sweeps grooves gr lines suns sun db PSU psu mAU sample
"""
# Units that programs hang on a name with an underscore.
_HUNG_ON: Final = """
    deg rad mrad mm um µm nm cm pm eV keV meV mV uV kV mA uA nA pA ms us ns ps Hz kHz MHz GHz mbar mBar degC °C ohm mT Oe emu mW
    uW cps kPa MPa hPa Pa sccm psi rpm ppm ppb
"""
_PREFIXED: Final = frozenset(_SYMBOLS.split()) | {"\u2126"}  # the Ohm sign, which is another letter than Ω
_ALONE: Final = frozenset(_WORDS.split()) | {"\u212b"}  # the Angstrom sign, which is another letter than Å
_ENDINGS: Final = frozenset(_HUNG_ON.split())
_DIVIDED: Final = re.compile(r"[\s*/·.\u00d7⋅()]+")
_POWER: Final = re.compile(r"(?:\^|\*\*)?[{(]?[-+⁻⁺]?[\d⁰¹²³⁴⁵⁶⁷⁸⁹]+(?:[./]\d+)?[})]?$")
_SCALE: Final = re.compile(r"1(?:\.0*)?[eE][-+]?\d{1,2}|10(?:\^|\*\*|e)[-+]?\d{1,2}")
_LETTER_PREFIX: Final = frozenset("YZEPTGMkhdcmuµμnpfa")
_ENDED: Final = re.compile(r"^(?P<name>[\w.]*[A-Za-z\d])_(?P<unit>[A-Za-zµ]+|(?:A|nm|Å|pm|um|cm)\^?-\d)$")
_S_PARAMETER: Final = re.compile(r"\s*[SYZ]\d\d\s*")
_LETTERED: Final = re.compile(
    r"(?=\w*[Tt]emp\w*_C|I\d_A|\w*temp\w*_K|T_K|\w*(?:[Vv]olt|[Bb]ias|[Pp]oten)\w*_V|V_V|\w*[Cc]urr\w*_A|I_A|\w*[Tt]ime\w*_[sh]|\w*[Dd]uration_[sh]|t_s|\w*[Ff]ield\w*_T|B_T|\w*Temp\w*_K|\w*(?:[Dd]epth|[Hh]eight|[Aa]ltitude|[Dd]istance|[Ee]levation)\w*_m|[Ss]al\w*_psu)(\w+)_([KVAsThCm]|psu)"
)
_BRACKETS: Final = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_DEGREES: Final = re.compile(r"(?P<name>.*\S)\s+(?P<unit>[Dd]eg\.? ?[CFK])")
_QUOTIENT: Final = re.compile(r"(?P<name>.*\w.*)\s(?P<unit>[^\s/()\[\]]{1,8}/[^\s/()\[\]]{1,8})")
_COMMA: Final = re.compile(r"(?P<name>[^,()\[\]]*\w), (?P<unit>[^\s,()\[\]]{1,12})(?P<remark> \([^()]*:[^()]*\))?")
_SHORTEST: Final = 2  # letters of a unit in brackets that only the table of spellings knows
_LONGEST: Final = 40


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
            return match["name"].strip(), None if unit.casefold() in _NO_UNIT and unit != "nA" else normalised(unit)
    return title, None


def looks_like_unit(text: str) -> bool:
    """Whether the text is made of known symbols only: `K`, `nm^-1`, `1/A`, `counts per second`, `emu/(g Oe)`, `mV rms`."""
    bare = text.strip().strip("[]").strip()
    if not bare or len(bare) > _LONGEST:
        return False
    parts = [part for part in _DIVIDED.split(bare) if part] if bare not in _ALONE else [bare]
    return bool(parts) and bare != "1" and not _SCALE.fullmatch(bare) and all(_is_symbol(part) for part in parts)


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    """Whether what stands where a unit has its place is one: also a spelling that could be a word elsewhere (`ohms`, `Sec`)."""
    return looks_like_unit(text) or ((len(text) >= _SHORTEST or not text.isascii()) and ucum(text) is not None)


def split_title(text: str) -> tuple[str, str | None]:
    """As `split_name` for titles from any program: what stands in the brackets must look like a unit.

    Also `2th_deg`, `q_nm^-1` (pyFAI), and a remark before the unit: `dq(FWHM, 1/A)` is `dq (FWHM)` in `1/A`.
    `dRef (SD)`, `I(Qx,Qy)` stay as they stand.
    """
    title = " ".join(text.split())
    known = _hung_on(title) or _behind(title) or _after_comma(title)
    if known is not None:
        return known
    name, unit = split_name(title)
    if unit is not None and is_unit(unit) and not ("/" in title and len(name) > 1 and looks_like_unit(name)):
        return name, unit
    for match in reversed(list(_BRACKETS.finditer(title))):
        inner = match[1] if match[1] is not None else match[2]
        remark, _, last = inner.rpartition(",")
        if match.start() and is_unit(last) and not _is_argument(title, match):
            rest = f"{title[: match.start()].strip()}{f' ({remark.strip()})' if remark else ''}{title[match.end() :]}"
            return " ".join(rest.split()).rstrip("/ ") or title, last.strip()
    name, _, last_word = title.rpartition(" ")
    last_word = last_word.rstrip(".")
    if last_word in _ENDINGS and name and _ends_in_a_word(name):  # `Pressure mbar`
        return name.rstrip(" ,"), last_word
    before, slash, after = title.partition("/")
    if (
        slash
        and before.strip()
        and before.count("(") == before.count(")")
        and looks_like_unit(after)
        and (_S_PARAMETER.fullmatch(before) or not _ends_in_a_unit(before))
    ):
        return before.strip(), after.strip()
    return title, None


def _hung_on(title: str) -> tuple[str, str] | None:
    """`2th_deg`, `q_nm^-1`; a single letter only behind a name of its kind: `temp_K`."""
    ended, letter = _ENDED.fullmatch(title), _LETTERED.fullmatch(title)
    if letter is not None:
        return letter[1], letter[2]
    if ended is not None and (ended["unit"] in _ENDINGS or ended["unit"][-1].isdigit()):
        return ended["name"], ended["unit"]
    return None


def _behind(title: str) -> tuple[str, str] | None:
    """`Temp. Deg C`, `Flow mL/min`: degrees and quotients behind a blank."""
    match = _DEGREES.fullmatch(title) or _QUOTIENT.fullmatch(title)
    if match is None or not is_unit(match["unit"]) or not _ends_in_a_word(match["name"]):
        return None
    return match["name"].rstrip(" ,/"), match["unit"]


def _after_comma(title: str) -> tuple[str, str] | None:
    """`Temp, °F`, and with a remark behind it as loggers write it: `RH, % (S/N: 7)`."""
    match = _COMMA.fullmatch(title)
    if match is None or not is_unit(match["unit"]) or not _ends_in_a_word(match["name"]):
        return None
    return f"{match['name']}{match['remark'] or ''}", match["unit"]


def _ends_in_a_word(text: str) -> bool:
    """Whether the last word is no number: `5 mm` is a length and no title with its unit."""
    return not text.rsplit(maxsplit=1)[-1].replace(".", "").replace(",", "").lstrip("+-").isdigit()


def _ends_in_a_unit(text: str) -> bool:
    """Whether the text or its last word is a unit of more than one letter: `counts`, `5 mL`."""
    last = text.rsplit(maxsplit=1)[-1]
    return (len(text.strip()) > 1 and looks_like_unit(text)) or (len(last) > 1 and looks_like_unit(last))


def _is_argument(title: str, match: re.Match[str]) -> bool:
    """Whether the brackets hold what a function depends on, as in `f(T) fit`: a letter before them and in them, something after."""
    inner = match[1] if match[1] is not None else match[2]
    return len(inner) < _SHORTEST and title[match.start() - 1].isalnum() and match.end() < len(title)


def _is_symbol(part: str) -> bool:
    symbol = part if part in _ALONE else _POWER.sub("", part)
    if not symbol:
        return part == "1"
    if _SCALE.fullmatch(part):
        return True
    if symbol in _ALONE or symbol in _PREFIXED:
        return True
    return symbol[0] in _LETTER_PREFIX and symbol[1:] in _PREFIXED
