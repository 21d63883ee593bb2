"""The last resort."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestors.api import Candidate, Quantity
from ingestors.fallback import Fallback, kind_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "content", "attributes", "kind"),
    [
        ("a.b.DTA", b"EXPLAIN\r\n\xb0", {"dataset_name": "a.b", "data_format": "dta"}, "text"),
        ("scan0005", b"1 2\n", {"dataset_name": "scan0005"}, "text"),
        (".hidden", b"", {"dataset_name": ".hidden"}, "empty"),
        ("x.tdms", b"TDSm\x0e\0\0\0", {"dataset_name": "x", "data_format": "tdms"}, "National Instruments TDMS"),
        ("x.dat", b"\0\1\2\3" * 10, {"dataset_name": "x", "data_format": "dat"}, "unknown binary"),
        ("u.txt", "\ufeffµ".encode("utf-16"), {"dataset_name": "u", "data_format": "txt"}, "text"),
    ],
)
def test_any_file(tmp_path: Path, name: str, content: bytes, attributes: dict[str, str], kind: str) -> None:
    """Name, suffix, size and kind of any file."""
    (tmp_path / name).write_bytes(content)
    extraction = Fallback().extract(Candidate(tmp_path / name))
    assert extraction.attributes == attributes
    assert extraction.scientific_metadata == {"file": {"size": Quantity(len(content), "B"), "kind": kind}}
    assert extraction.warnings == ()


def test_a_file_that_is_gone_is_still_an_extraction(tmp_path: Path) -> None:
    """A file that cannot be read gives its name and a warning, never an exception."""
    extraction = Fallback().extract(Candidate(tmp_path / "gone.dat"))
    assert extraction.attributes == {"dataset_name": "gone", "data_format": "dat"}
    assert extraction.warnings == ("The file cannot be read: No such file or directory.",)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 in the name and the suffix become text that every catalog can carry."""
    path = tmp_path / "caf\udce9.\udcff"
    path.write_bytes(b"x")
    assert Fallback().extract(Candidate(path)).attributes == {"dataset_name": "caf\\xe9", "data_format": "\\xff"}


@given(st.binary(max_size=3000))
def test_every_beginning_has_a_kind(head: bytes) -> None:
    """Whatever the bytes, there is an answer; NUL bytes without a known signature are never called text."""
    kind = kind_of(head)
    assert kind
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        assert kind != "text"
