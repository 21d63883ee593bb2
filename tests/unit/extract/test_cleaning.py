"""What JSON has no words for is written as something else, and the record says so."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from daemon.extract.cleaning import kind
from daemon.extract.outcome import accepted
from daemon.extract.worker import Pruned


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (math.nan, "NaN"),
        (-math.inf, "NaN"),
        (np.float32("inf"), "NaN"),
        (np.array([1.0, np.nan]), "NaN"),
        (2**63, "64 bits"),
        (b"\xff", "bytes"),
        (np.array([b"ab"]), "bytes"),
        ("a\0b", "NUL"),
        (1 + 2j, "complex"),
        (np.array([1j]), "complex"),
    ],
)
def test_what_is_written_as_something_else_is_told(value: Any, told: str) -> None:
    """Each kind of value that JSON cannot carry has its words."""
    found = kind(value)
    assert found is not None
    assert told in found


@pytest.mark.parametrize(
    "value", [None, True, 1, 2**63 - 1, -(2**63), 1.5, "text", np.float64(2.5), np.int16(3), np.arange(4), np.zeros(0)]
)
def test_what_json_carries_is_not_told(value: Any) -> None:
    """Numbers of numpy are numbers."""
    assert kind(value) is None


def test_the_kinds_are_counted_through_the_whole_tree() -> None:
    """Values deep in mappings and lists count, and what a worker answers is taken over only if it is numbers."""
    pruned = Pruned()
    pruned.plain({"a": {"b": [math.nan, {"c": math.inf}]}, "d": b"x"}, [])
    assert sorted(pruned.cleaned.values()) == [1, 2]
    assert accepted({"cleaned": {"x": 2, "y": "many"}}, []).cleaned == {"x": 2}
