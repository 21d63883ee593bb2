from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.catalogs.scicat.metadata import cleaned, spelled


@pytest.mark.parametrize(
    ("given_unit", "known"),
    [
        ("µm", "um"),  # the micro sign
        ("\u03bcm", "um"),  # the Greek letter
        ("µA", "uA"),
        ("°C", "degC"),
        ("°", "deg"),
        ("Torr", "torr"),
        ("Ohm", "ohm"),
        ("kΩ", "kohm"),
        ("mM", "mmol/L"),
        ("nm-1", "nm^-1"),
        ("nm⁻¹", "nm^-1"),
        ("W/cm2", "W/cm^2"),
        ("\u212b", "Å"),
    ],
)
def test_a_unit_is_spelled_as_the_server_knows_it(given_unit: str, known: str) -> None:
    """Trap: mathjs does not know µm, °C, Ohm and others; the value would be kept without a meaning."""
    assert spelled(given_unit) == known


@pytest.mark.parametrize(
    "unit", ["nm", "keV", "1/nm", "mol/L", "K/min", "%", "ppm", "counts", "e-/Å^2", "C", "A", "mmH2O"]
)
def test_every_other_unit_stays_as_given(unit: str) -> None:
    """Units that are known, or that have no spelling there, are not touched."""
    assert spelled(unit) == unit


@pytest.mark.parametrize(
    ("given_metadata", "kept"),
    [
        ({"a": None, "b": {"c": None, "d": 1}}, {"b": {"d": 1}}),
        ({"t": {"value": None, "unit": "K"}, "u": {"value": float("nan"), "unit": "K"}}, {}),
        ({"x": float("inf"), "list": [1, float("nan")]}, {"list": [1, None]}),
        ({"a.b": 1, "$c": 2, "a_b": 3}, {"a_b": 1, "_c": 2, "a_b_2": 3}),
        ({"Yield (%)": 1, "T / K": 2}, {"Yield (percent)": 1, "T / K": 2}),
        ({"__proto__": 1, "constructor": 2}, {"__proto___": 1, "constructor_": 2}),
        ({"user": "ann", "version": 3}, {"user": "ann", "version": 3}),
        ({"s": {"user": "ann", "version": 3}}, {"s": {"User": "ann", "version": 3}}),
        ({"p": {"value": 1, "unit": "mm", "uncertainty": 0.1}}, {"p": {"value": 1, "unit": "mm", "Uncertainty": 0.1}}),
        ({"n": {"value": 3, "unit": ""}}, {"n": 3}),
        ({"id": 2**60}, {"id": str(2**60)}),
        ({"q": {"value": 1.5, "unit": "µm", "type": "length"}}, {"q": {"value": 1.5, "unit": "um", "type": "length"}}),
        ({"text": "a\ud800"}, {"text": "a?"}),
    ],
)
def test_what_the_server_would_spoil_is_cleaned(given_metadata: dict[str, Any], kept: dict[str, Any]) -> None:
    """Traps: nulls crash it, NaN is no JSON, dotted keys come back encoded, u… and v… keys become a quantity."""
    assert cleaned(given_metadata)[0] == kept


def test_every_change_is_told() -> None:
    """What could not stay as it was has a line with its place."""
    notes = cleaned({"a": {"b.c": float("nan")}, "d": 2**70})[1]
    assert [line.split(":")[0] for line in notes] == ["a/b_c", "a/b_c", "d"]


_KEYS = st.text(max_size=6) | st.sampled_from(["user", "version", "value", "unit", "a.b", "$c"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


def mistaken(tree: Any) -> bool:
    """Whether the server would find a quantity below that is none, or a null in an object, as its code looks for them."""
    if isinstance(tree, list):
        return False
    if not isinstance(tree, dict):
        return False
    for key, value in tree.items():
        if value is None or "." in key or key.startswith("$"):
            return True
        if isinstance(value, dict):
            u_keys = [name for name in value if name.startswith("u") and not name.endswith("SI")]
            v_keys = [name for name in value if name.startswith("v") and not name.endswith("SI")]
            if u_keys and v_keys and (u_keys, v_keys) != (["unit"], ["value"]):
                return True
        if mistaken(value):
            return True
    return False


@settings(max_examples=40)
@given(st.dictionaries(_KEYS, _JSON, max_size=5))
def test_any_metadata_comes_out_clean(metadata: dict[str, Any]) -> None:
    """Whatever a file says, the server gets strict JSON, and nothing in it that it would take for something else."""
    kept, _ = cleaned(metadata)
    json.dumps(kept, allow_nan=False).encode()
    assert not mistaken(kept)
    assert cleaned(kept)[0] == kept
