"""One server for the tests of a module, and one of its own for those that kill it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.catalogserver import Server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running catalog, shared by the module's tests; each makes datasets of its own."""
    running = Server(tmp_path_factory.mktemp("catalog")).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running catalog for one test."""
    running = Server(tmp_path_factory.mktemp("own")).start()
    yield running
    running.stop()
