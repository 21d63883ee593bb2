"""The one table of unit spellings: what instruments write, and the code that it has in UCUM. Standard library only.

UCUM is the Unified Code for Units of Measure (https://ucum.org/ucum), in which every unit has one spelling that
programs agree on: `degC`, `Celsius` and `°C` are `Cel`; `um`, `µm` and `[u_m]` are `um`; `1/nm` and `nm⁻¹` are `nm-1`.
What UCUM has no unit for is an annotation in braces (`{count}`). What can mean two things has no code: `C` is coulomb
or Celsius, `F` farad or Fahrenheit, `AU` absorbance, arbitrary or astronomical, `W/m K` one of two quotients.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_PREFIXES: Final = {
    **{letter: letter for letter in ("Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m")},
    **{letter: letter for letter in ("u", "n", "p", "f", "a", "z", "y")},
    "\u00b5": "u",  # the micro sign
    "\u03bc": "u",  # the Greek letter mu
}
_PREFIX_NAMES: Final = {
    "tera": "T", "giga": "G", "mega": "M", "kilo": "k", "hecto": "h", "deci": "d", "centi": "c", "milli": "m",
    "micro": "u", "nano": "n", "pico": "p", "femto": "f", "atto": "a",
}  # fmt: skip

# Code, then the symbols for it. With prefixes, and every letter's case counts.
_METRIC_SYMBOLS: Final = """
    m: m | s: s sec Sec | g: g gm | A: A Amp amp Amps amps | K: K | mol: mol | cd: cd | Hz: Hz | N: N | Pa: Pa
    J: J | W: W | V: V | Ohm: Ω \u2126 ohm Ohm ohms Ohms | S: S | Wb: Wb | T: T | H: H | Bq: Bq | Gy: Gy | Sv: Sv
    lm: lm | lx: lx | rad: rad | sr: sr | L: L l | eV: eV | bar: bar | cal: cal | erg: erg | dyn: dyn
    G: G Gs | Oe: Oe | erg/G: emu | b: barn | u: Da amu | W.h: Wh | A.h: Ah | V.A: VA | V{rms}: Vrms V_rms
    V{pp}: Vpp V_pp | A{rms}: Arms | bit: bit | Np: Np | Ci: Ci
    Pa.s: Pas | C: coul Coul | V{dc}: Vdc VDC V_dc | V{ac}: Vac VAC V_ac
"""
# Symbols that take some prefixes only; with none of these they mean something else, or nobody knows what.
_FEW_PREFIXES: Final = {
    "C": ("C", "k m u µ μ n p f"),
    "F": ("F", "m u µ μ n p f a"),
    "M": ("mol/L", " m u µ μ n p"),
    "B": ("By", " k M G T P"),
    "P": ("P", "c m"),
}
# Names in full, in any case, also in the plural and with prefixes in full (`nanometers`).
_METRIC_NAMES: Final = """
    m: metre meter | s: second sec | g: gram gramme | A: ampere amp | K: kelvin | mol: mole | cd: candela | Hz: hertz
    N: newton | Pa: pascal | J: joule | W: watt | C: coulomb | V: volt | F: farad | Ohm: ohm | S: siemens | Wb: weber
    T: tesla | H: henry | Bq: becquerel | Gy: gray | Sv: sievert | lm: lumen | lx: lux | rad: radian | sr: steradian
    L: litre liter | eV: electronvolt | bar: bar | G: gauss | Oe: oersted | b: barn | u: dalton | By: byte | bit: bit
"""
# Without prefixes; the case counts.
_SYMBOLS: Final = """
    1: 1 | %: % | [ppth]: \u2030 ‰ | [ppm]: ppm PPM | [ppb]: ppb PPB | %{wt}: wt% wt.% | %{at}: at% at.% | %{mol}: mol%
    %{vol}: vol% vol.% | min: min mins Min | h: h hr hrs Hr | d: d day days | wk: wk | a: yr | deg: deg Deg DEG ° degs deg.
    Cel: °C øC degC DegC deg_C Cel ℃ ºC | [degF]: °F degF DegF ℉ ºF | Ao: Å \u212b Ang Angs ang Ang. | um: µ μ
    ': arcmin | '': arcsec | {count}: cts ct cnts cnt Cts | {count}/s: cps CPS cts/s Cps | {count}/min: cpm CPM | 10*3.{count}/s: kcps Kcps
    10*6.{count}/s: Mcps | {rev}/min: rpm RPM rpms | cm3{STP}/min: sccm SCCM | L{STP}/min: slm SLM slpm
    cm3: cc ccm | mm[Hg]: mmHg mm[Hg] Torr torr TORR | [in_i'Hg]: inHg | [psi]: psi PSI | atm: atm
    um[Hg]: mTorr mtorr | nm[Hg]: uTorr µTorr μTorr utorr | m[Hg]: kTorr | [in_i]: in inch | [mil_i]: mil | [ft_i]: ft
    dB: dB DB | dB{mW}: dBm | dB[W]: dBW | dB[V]: dBV | dB[mV]: dBmV | dB[uV]: dBuV dBµV dBμV
    {pixel}: px pix | {frame}/s: fps | {point}: pts | KiBy: KiB | MiBy: MiB | GiBy: GiB | {ADU}: ADU ADC
    mL{STP}: mlSTP mLSTP smL | L{STP}: sL | {sun}: sun suns | {psu}: PSU psu | cm3{STP}: ccSTP cm3STP cm^3STP | {count}/s: c/s | {square}: sq □ | {rlu}: rlu r.l.u.
    kgf: kgf | [lbf_av]: lbf | {decade}: decade dec
    Hz: hz HZ | kHz: khz KHz KHZ | MHz: Mhz MHZ | eV: ev EV | keV: kev KeV Kev | kV: KV | kOhm: Kohm KOhm | K: degK | mbar: mBar | nm: d.nm r.nm
"""
# The same, in any case.
_NAMES: Final = """
    1: dimensionless unitless | %: percent | min: minute minutes | h: hour hours | d: day days | wk: week weeks | a: year years
    deg: degree degrees | Cel: celsius centigrade | [degF]: fahrenheit | Ao: angstrom angstroms ångström ångstrom
    um: micron microns | {count}: count counts | {photon}: photon photons | {electron}: electron electrons
    {frame}: frame frames | {pixel}: pixel pixels | {point}: point points | {pulse}: pulse pulses | {step}: step steps | {sample}: sample samples | {cell}: cell cells
    {cycle}: cycle cycles | atm: atmosphere atmospheres | [in_i]: inches
    [arb'U]: a.u. a.u arb arb. arb.u. arb.u arb.units arb_units arb.unit arbitrary arbu
"""
# A monolayer or a megalitre; millibarn or millibar.
_AMBIGUOUS: Final = frozenset({"ML", "mb"})
_PHRASES: Final = (
    (re.compile(r"(?:arb(?:itrary|\.)?|a\.?)\s*(?:units?|u\.)", re.IGNORECASE), "[arb'U]"),
    (re.compile(r"mm\s+Hg"), "mm[Hg]"),
    (re.compile(r"CCD (?:cts|counts)"), "{count}"),
    *((re.compile(rf"{what}\.?\s?-?%"), f"%{{{what}}}") for what in ("wt", "at", "mol", "vol")),
)
_STANDARD: Final = re.compile(r"(?<=[a-zA-Z3])\s*\(?STP\)?")
_EFFECTIVE: Final = re.compile(r"(\S+)\s+(rms|RMS|pp|dc|DC|ac|AC)")
_HYPHEN: Final = re.compile(r"(?<=[A-Za-zΩµ])-(?=[A-Za-zΩµ])")
# Gases beside a pressure or a flow (`cm N2`), not newton or henry squared.
_FORMULAS: Final = frozenset({"N2", "H2"})
# Written without anything between them: `Ohmcm2`, `mWcm-2`.
_JOINED: Final = re.compile(r"([mµμukM]?(?:Ohms?|ohms?|Ω|\u2126|[AWSVC]))(cm(?:\^?-?\d)?)(?![A-Za-z])")
_DEGREES: Final = re.compile(r"(?:\bdeg(?:ree)?s?\b\.?|[°º])[\s_]*(?:C|Celsius|centigrade)\b", re.IGNORECASE)
_FAHRENHEIT: Final = re.compile(r"(?:\bdeg(?:ree)?s?\b\.?|[°º])[\s_]*(?:F|Fahrenheit)\b", re.IGNORECASE)
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_RAISED: Final = re.compile(r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_POWER: Final = re.compile(r"\s*\^\s*(?:\(([-+]?\d+)\)|\{([-+]?\d+)\}|([-+]?\d+))")
_EXPONENT: Final = re.compile(r"(\^?)([-+]?\d{1,2})$")
_DIVIDED: Final = re.compile(r"/(?![^(]*\))")
_TIMES: Final = re.compile(r"[\s*·⋅\u00d7]+")
_BRACKETED: Final = re.compile(r"\[(?:([a-zA-Zµμ]{1,2})_)?([^\[\]]*)\]")
_LONGEST: Final = 60
_MOST_TERMS: Final = 8

Terms = tuple[tuple[str, int], ...]
"""A product of UCUM units, each with its exponent."""


def _rows(table: str) -> dict[str, str]:
    """Spelling to code."""
    rows = (row.partition(": ") for row in re.split(r"\s\|\s|\n", table) if row.strip())
    return {spelling: code.strip() for code, _, spellings in rows for spelling in spellings.split()}


METRIC: Final = _rows(_METRIC_SYMBOLS)
METRIC_NAMES: Final = _rows(_METRIC_NAMES)
ALONE: Final = _rows(_SYMBOLS)
NAMES: Final = _rows(_NAMES)


@lru_cache(maxsize=4096)
def ucum(unit: str) -> str | None:
    """The UCUM code of a unit as a file spells it, or None where it is not known or could mean two things.

    Products and quotients are put in one order: `A cm^-2` and `A/cm²` are both `A/cm2`, `1/nm` and `nm⁻¹` are `nm-1`.
    """
    text = _unbracketed(" ".join(unit.split()))
    if not text or len(text) > _LONGEST or text == "N/A":
        return None
    for phrase, code in _PHRASES:
        if phrase.fullmatch(text):
            return code
    text = _FAHRENHEIT.sub("degF", _DEGREES.sub("degC", text.replace("cm³", "cm3")))
    text = _HYPHEN.sub("·", _STANDARD.sub("STP", _JOINED.sub(r"\1·\2", text)))
    whole = symbol(text)
    if whole is not None:
        return whole
    effective = _EFFECTIVE.fullmatch(text)
    if effective is not None:
        return symbol(f"{effective[1]}{effective[2].lower()}")
    terms = _terms(text)
    return None if terms is None else _written(terms)


def symbol(text: str) -> str | None:
    """The code of one unit without exponent, such as `mV`, `Hz`, `nanometers`; None for what is none."""
    if text in _AMBIGUOUS:
        return None
    code = ALONE.get(text) or METRIC.get(text)
    if code is None and text in _FEW_PREFIXES and " " in _FEW_PREFIXES[text][1][:1]:
        code = _FEW_PREFIXES[text][0]
    for length in (1, 2) if code is None else ():
        prefix, base = _PREFIXES.get(text[:length]), text[length:]
        few = _FEW_PREFIXES.get(base)
        if prefix is not None and base in METRIC:
            code = prefix + METRIC[base]
        elif few is not None and text[:length] in few[1].split():
            code = prefix + few[0] if prefix is not None else None
        if code is not None:
            break
    return code if code is not None else _named(text.casefold())


def _named(name: str) -> str | None:
    code = NAMES.get(name)
    singular = name if name in METRIC_NAMES else name.removesuffix("s")
    if code is None and singular in METRIC_NAMES:
        code = METRIC_NAMES[singular]
    for prefix, letter in _PREFIX_NAMES.items() if code is None else ():
        base = singular.removeprefix(prefix)
        if base != singular and base in METRIC_NAMES:
            return letter + METRIC_NAMES[base]
    return code


def _unbracketed(text: str) -> str:
    """`[u_m]` is `um`, `[V]` and `(V)` are `V`."""
    match = _BRACKETED.fullmatch(text)
    if match is not None and text not in ALONE:
        return (match[1] or "") + match[2].strip()
    if text.startswith("(") and text.endswith(")") and not set("()") & set(text[1:-1]):
        return text[1:-1].strip()
    return text


def _terms(text: str) -> Terms | None:
    """The product that the text spells, or None. A product after a quotient needs brackets: `W/m K` could be two things."""
    text = re.sub(r"\bper\b", "/", text, flags=re.IGNORECASE).replace("**", "^")
    text = _RAISED.sub(lambda raised: "^" + raised[0].translate(_SUPERSCRIPTS), text)
    text = _POWER.sub(lambda power: "^" + (power[1] or power[2] or power[3]), text)
    found: list[tuple[str, int]] = []
    for number, part in enumerate(map(str.strip, _DIVIDED.split(text))):
        bracketed = part.startswith("(") and part.endswith(")")
        factors = _TIMES.split(part[1:-1].strip() if bracketed else part)
        if number == 0 and factors == [""] and "/" in text:
            continue
        several = [_term(factor) for factor in factors]
        if None in several or len(found) > _MOST_TERMS or (number and len(factors) > 1 and not bracketed):
            return None
        found += [(code, -power if number else power) for terms in several if terms for code, power in terms]
    return _simplified(found)


def _term(word: str) -> Terms | None:
    """One word with its exponent: `cm2`, `nm^-1`; dots join several (`A.cm-2`)."""
    code = symbol(word)
    if code is not None or word in _FORMULAS:
        return None if code is None else _parsed(code, 1)
    parts = word.split(".")
    if len(parts) > 1:
        several = [_term(part) for part in parts]
        return None if None in several else tuple(term for terms in several if terms for term in terms)
    exponent = _EXPONENT.search(word)
    if exponent is None:
        return None
    base, power = word[: exponent.start()], int(exponent[2])
    if base == "10" and exponent[1]:
        return (("10*", power),)
    code = symbol(base)
    return None if code is None or power == 0 else _parsed(code, power)


def _parsed(code: str, power: int) -> Terms:
    """A code of the table as terms, raised to a power."""
    terms: list[tuple[str, int]] = []
    if code == "1":
        return ()
    for sign, atom in re.findall(r"(^|[./])((?:\[[^\]]*\]|\{[^}]*\}|10\*-?\d+|[^./])+)", code):
        match = re.fullmatch(r"(10\*|[^\d]+?)(-?\d+)?(\{.*\})?", atom)
        name, own = (match[1] + (match[3] or ""), int(match[2] or 1)) if match is not None else (atom, 1)
        terms.append((name, (-own if sign == "/" else own) * power))
    return tuple(terms)


def _simplified(found: list[tuple[str, int]]) -> Terms:
    powers: dict[str, int] = {}
    for code, exponent in found:
        # A difference of temperatures: UCUM allows no other unit beside `Cel`.
        code = "K" if code == "Cel" and len(found) > 1 else code  # noqa: PLW2901 the code that is meant here
        powers[code] = powers.get(code, 0) + exponent
    if powers.keys() == {"A"} and powers["A"] != 1:
        # Nobody measures in inverse or square ampere, but programs without the letter write A for ångström.
        return (("Ao", powers["A"]),)
    return tuple((code, exponent) for code, exponent in powers.items() if exponent)


def _written(terms: Terms) -> str | None:
    """One spelling for each product: `A/cm2`; without a numerator `nm-1`."""
    if len(terms) > 1 and any(code == "[degF]" for code, _ in terms):
        return None
    if any(code in {"Cel", "[degF]"} and exponent != 1 for code, exponent in terms):
        return None
    above = [_power(*term) for term in sorted(terms, key=lambda term: term[0] != "10*") if term[1] > 0 or "10*" in term]
    below = [(code, -exponent) for code, exponent in terms if exponent < 0 and code != "10*"]
    if not above:
        return ".".join(_power(code, -exponent) for code, exponent in below) or "1"
    return "/".join([".".join(above), *(_power(*term) for term in below)])


def _power(code: str, exponent: int) -> str:
    if exponent == 1 and code != "10*":
        return code
    name, brace, note = code.partition("{")
    return f"{name}{exponent}{brace}{note}" if name else f"{code}{exponent}"
