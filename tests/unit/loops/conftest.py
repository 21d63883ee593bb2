"""A workshop over a fresh folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A root, a store and the loops' parts."""
    made = Workshop(tmp_path)
    yield made
    made.close()
