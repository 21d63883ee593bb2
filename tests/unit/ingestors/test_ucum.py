"""The table of units against two programs of other people: pint reads what instruments write, ucumvert reads UCUM."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ucumvert import PintUcumRegistry

from ingestors import ucum as table
from ingestors import units
from ingestors.api import Quantity, jsonable, units_in
from ingestors.ucum import ucum

# What instruments write, and what it means in pint's words. None: could be two things, or is no unit.
MEANINGS: dict[str, str | None] = {
    "um": "micrometer", "\u00b5m": "micrometer", "\u03bcm": "micrometer", "[u_m]": "micrometer", "micron": "micrometer",
    "1/nm": "1/nanometer", "nm^-1": "1/nanometer", "nm⁻¹": "1/nanometer", "nm-1": "1/nanometer", "[1/nm]": "1/nanometer",
    "Å": "angstrom", "\u212b": "angstrom", "Å⁻¹": "1/angstrom", "1/A": "1/angstrom", "A^-1": "1/angstrom",
    "A": "ampere", "A/cm2": "ampere/centimeter**2", "A cm^-2": "ampere/centimeter**2", "A·cm⁻²": "ampere/centimeter**2",
    "A.cm-2": "ampere/centimeter**2", "mA/cm^{2}": "milliampere/centimeter**2", "V/A": "volt/ampere",
    "degC": "degree_Celsius", "°C": "degree_Celsius", "Celsius": "degree_Celsius", "deg C": "degree_Celsius",
    "degF": "degree_Fahrenheit", "K/min": "kelvin/minute", "°C/min": "kelvin/minute", "Kelvin": "kelvin",
    "sec": "second", "s": "second", "msec": "millisecond", "Seconds": "second", "hr": "hour", "min": "minute",
    "cm-1": "1/centimeter", "cm^{-1}": "1/centimeter", "cm**-1": "1/centimeter", "1 / cm": "1/centimeter",
    "mbar": "millibar", "Torr": "torr", "mTorr": "millitorr", "mmHg": "torr", "kPa": "kilopascal", "psi": "psi",
    "eV": "electron_volt", "keV": "kiloelectron_volt", "ev": "electron_volt", "K": "kelvin", "rpm": "1/minute",
    "Ohm": "ohm", "\u03a9": "ohm", "\u2126": "ohm", "kΩ": "kiloohm", "MOhm": "megaohm", "ohms": "ohm",
    "%": "percent", "ppm": "ppm", "emu": "erg/gauss", "emu/g": "erg/gauss/gram", "emu/(g·Oe)": "erg/gauss/gram/oersted",
    "10^-6 emu": "1e-6*erg/gauss", "Oe": "oersted", "kOe": "kilooersted", "Gauss": "gauss", "G": "gauss", "T": "tesla",
    "sccm": "centimeter**3/minute", "slm": "liter/minute", "cc": "centimeter**3", "mL": "milliliter", "mol/L": "mole/liter",
    "mM": "millimole/liter", "mAh": "milliampere*hour", "mA h": "milliampere*hour", "V·s": "volt*second",
    "J/(kg·K)": "joule/kilogram/kelvin", "m²/g": "meter**2/gram", "Hz": "hertz", "MHz": "megahertz", "deg": "degree",
    "°": "degree", "mrad": "milliradian", "counts": "count", "cps": "count/second",
    "counts per second": "count/second", "kcps": "1000*count/second", "nanometers": "nanometer", "Volts": "volt",
    "kB": "kilobyte", "GiB": "gibibyte", "kDa": "kilodalton", "inch": "inch", "mil": "thou", "pF": "picofarad",
    "ohm-cm": "ohm*centimeter", "cm^3/coul": "centimeter**3/coulomb", "mPas": "millipascal*second", "c/s": "count/second",
    "ml(STP) g-1": "milliliter/gram", "cm³ STP/g": "centimeter**3/gram", "mV rms": "millivolt", "ohm/sq": "ohm",
    "µV/K": "microvolt/kelvin", "W/(m·K)": "watt/meter/kelvin", "mN/m": "millinewton/meter", "kJ/mol": "kilojoule/mole",
    "cm N2": None, "CCD cts": "count", "r.l.u.": "dimensionless", "L mol^-1 cm^-1": "liter/mole/centimeter",
    "kV": "kilovolt", "KV": "kilovolt", "µC": "microcoulomb", "dB": "decibel", "barn": "barn", "1": "dimensionless",
    "C": None, "ML/s": None, "F": None, "AU": None, "au": None, "c": None, "ML": None, "N/A": None, "W/m K": None, "W/m·K": None,
    "V vs. Ref.": None, "nV/√Hz": None, "": None, "m//s": None, "(m": None, "unknown": None, "x" * 100: None,
}  # fmt: skip
ONLY_CODES = {
    "a.u.": "[arb'U]", "arb. units": "[arb'U]", "arb. unit": "[arb'U]", "arbitrary units": "[arb'U]", "arb.u.": "[arb'U]",
    "arcsec": "''",  # ucumvert takes it for a second
    "dBm": "dB{mW}", "dBmV": "dB[mV]", "px": "{pixel}", "wt%": "%{wt}", "at. %": "%{at}", "Vpp": "V{pp}", "mV_rms": "mV{rms}",
}  # fmt: skip
HAS_NO_CODE = frozenset(
    [
        "AU",
        "C",
        "CCD",
        "F",
        "ML",
        "mAU",
        "db",
        "Ref",
        "Ref.",
        "STP",
        "Vs",
        "au",
        "c",
        "e",
        "gr",
        "grooves",
        "lines",
        "per",
        "ph",
        "rms",
        "scans",
        "sqrt",
        "sweeps",
        "u",
        "u.",
        "unit",
        "units",
        "vs",
        "vs.",
    ]
)


SAME_UNIT = frozenset({"degree_Celsius", "degree_Fahrenheit", "decibel"})
"""Units with a zero of their own or a logarithm in them: only the unit itself can be compared."""


@cache
def registry() -> Any:
    """Reads UCUM codes and pint's names over one set of definitions."""
    return PintUcumRegistry()


def meant(words: str) -> Any:
    """What pint understands by its own words; a count is a number."""
    return registry().parse_expression(words.replace("count", "dimensionless"))


def coded(code: str) -> Any:
    """What ucumvert understands by a UCUM code. Raises for what is none."""
    found = registry().from_ucum(code)
    return found if hasattr(found, "units") else registry().Quantity(1, "")  # a lone annotation stays a token


def ratio(code: str, words: str) -> float:
    """How many times what pint's words say a UCUM code is, in base units: ucumvert has a registry of its own at times."""
    left, right = coded(code).to_base_units(), meant(words).to_base_units()
    assert str(left.units) == str(right.units)
    return float(left.magnitude / right.magnitude)


@pytest.mark.parametrize(("spelling", "words"), MEANINGS.items())
def test_a_spelling_has_the_code_of_what_it_means(spelling: str, words: str | None) -> None:
    """The code means what the spelling means (a torr is a millimetre of mercury to a millionth); what could be two things has none."""
    code = ucum(spelling)
    if words is None or code is None:
        assert code is words is None
    elif words in SAME_UNIT:
        assert str(coded(code).units) == str(meant(words).units)
    else:
        assert ratio(code, words) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(("spelling", "code"), ONLY_CODES.items())
def test_what_si_does_not_know_has_a_code_that_ucum_reads(spelling: str, code: str) -> None:
    """Arbitrary units, levels and annotations."""
    assert ucum(spelling) == code
    assert coded(code) is not None


@pytest.mark.parametrize(
    "rows", [table.METRIC, table.METRIC_NAMES, table.ALONE, table.NAMES], ids=["symbols", "names", "alone", "words"]
)
def test_every_code_of_the_table_is_ucum(rows: dict[str, str]) -> None:
    """Another program reads every code, and a code is what it is itself coded as, where it is spelled without annotation."""
    for spelling, code in rows.items():
        assert coded(code) is not None, spelling


@settings(max_examples=60)
@given(
    st.sampled_from(["", "u", "\u00b5", "m", "k", "M", "G", "n", "p", "f", "c", "T"]),
    st.sampled_from(["m", "s", "V", "W", "Hz", "eV", "Pa", "T", "g", "mol", "J", "ohm", "L", "bar", "Bq", "cal"]),
    st.integers(-4, 4).filter(bool),
    st.sampled_from(["{}^{}", "{}**{}", "{}{}", "{}^({})"]),
)
def test_prefixes_and_exponents_mean_what_pint_says(prefix: str, symbol: str, exponent: int, form: str) -> None:
    """Any prefix with any unit and exponent, in four ways to write it. Gauss is no gigasecond, a monolayer no megalitre."""
    assume(prefix + symbol not in {"Gs", "ML"})
    code = ucum(form.format(prefix + symbol, exponent) if exponent != 1 else prefix + symbol)
    assert code is not None
    assert ratio(code, f"({prefix}{symbol})**{exponent}") == pytest.approx(1, rel=1e-9)


@given(st.lists(st.tuples(st.sampled_from(["V", "cm", "s", "kg", "mol"]), st.integers(1, 3)), min_size=2, max_size=4))
def test_a_quotient_has_one_code_however_it_is_written(factors: list[tuple[str, int]]) -> None:
    """`A/b/c`, `A b^-1 c^-1` and `A/(b c)` are one code."""
    (first, power), *below = factors
    spellings = {
        f"{first}^{power}" + "".join(f"/{name}^{exponent}" for name, exponent in below),
        f"{first}{power} " + " ".join(f"{name}^-{exponent}" for name, exponent in below),
        f"{first}**{power}/(" + "·".join(f"{name}{exponent}" for name, exponent in below) + ")",
    }
    assert len({ucum(spelling) for spelling in spellings}) == 1


@given(st.text(max_size=70) | st.text("mskgAV/^-()[]{}*. 0123456789µΩÅ⁻¹°C%", max_size=30))
def test_any_text_has_a_code_that_ucum_reads_or_none(text: str) -> None:
    """Whatever stands where a unit should stand: no error, and nothing that UCUM cannot read."""
    code = ucum(text)
    assert code is None or coded(code) is not None


def test_the_words_that_make_a_title_a_unit_have_codes() -> None:
    """The two lists of words cannot drift apart: what counts as a unit in a title is coded, but for those without a code."""
    known = units._ALONE | units._PREFIXED | units._ENDINGS
    assert {word for word in known if ucum(word) is None} <= HAS_NO_CODE


def test_metadata_carry_a_code_for_each_known_unit() -> None:
    """Quantities, columns and arrays keep their unit as it is written; the codes are listed once for all of them."""
    metadata = jsonable(
        {
            "laser": {"power": Quantity(1.5, "mW"), "unit": "x", "temperature": Quantity([20, 21], "degC")},
            "table": {"columns": [{"name": "q", "unit": "1/nm"}, {"name": "I", "unit": None}]},
            "datasets": {"/a": {"shape": [3], "unit": "what"}},
        }
    )
    assert metadata["laser"]["power"] == {"value": 1.5, "unit": "mW"}
    assert units_in(metadata) == {"mW": "mW", "degC": "Cel", "1/nm": "nm-1"}
