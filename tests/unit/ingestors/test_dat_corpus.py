from __future__ import annotations

from pathlib import Path

import pytest

from ingestors.api import Candidate, Ingestor
from ingestors.dat import Dat

CORPUS = Path(__file__).parents[2] / "data" / "corpus"
BINARIES_AND_OTHERS = (
    "dat/pydrs4/drs4_test.dat",
    "dat/made_qcodes_loop/snapshot.json",
    "other/gwyfile/test.gwy",
    "other/nomad-measurements/23-012-AG_2thomegascan_long.brml",
    "other/nomad-measurements/XRD-918-16_10.xrdml",
    "other/punx/writer_1_3.hdf5",
    "other/pynxtools-xps/Ag_0001Ag__001.ibw",
    "other/pynxtools-xps/SnO2_10nm.spe",
)


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(Dat(), Ingestor)


@pytest.mark.parametrize("path", BINARIES_AND_OTHERS)
def test_what_is_no_text_table_is_declined(path: str) -> None:
    """Binaries, JSON, XML and lists by position belong to others."""
    assert Dat().claim(Candidate(CORPUS / path)) is None
