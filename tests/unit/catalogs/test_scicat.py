from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.scicat_bench import Bench, bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["4", "5"])
def one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Both generations."""
    with bench(tmp_path, request.param) as found:
        yield found


def test_a_dataset_arrives_whole_and_once(one: Bench) -> None:
    """Record, file list and picture are there, each once, and a replay adds nothing."""
    catalog, record = one.adapter(), one.record()
    notebook = one.deliver(catalog, record)
    for replay in (notebook, None):
        one.deliver(catalog, record, replay)
        (there,) = one.fake.named("scan 1")
        assert there.record["numberOfFiles"] == 3
        assert there.record["size"] == sum(file.size for file in record.files)
        assert len(there.attachments) == 1
        assert there.record["scientificMetadata"]["voltage"]["unit"] == "kV"
