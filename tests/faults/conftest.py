"""Every catalog, once for all the tests of a module that disturb deliveries to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.sea import Sea, open_sea
from tests.fakes.served import SELDOM, SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator


PARAMS = [pytest.param(name, marks=pytest.mark.slow) if name in SELDOM else name for name in SERVERS]


@pytest.fixture(scope="module", params=PARAMS)
def sea(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sea]:
    """A catalog behind a proxy; every disturbance has a dataset of its own."""
    with open_sea(request.param, tmp_path_factory.mktemp("sea")) as made:
        yield made
