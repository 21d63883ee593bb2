"""TIFF whose makers put what they know into tags of their own, and the facts that rosettasciio only points to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile

from ingestors.api import Candidate, Extraction, jsonable
from ingestors.extras import mapping
from ingestors.image import Image

if TYPE_CHECKING:
    from pathlib import Path

FRAME = np.add.outer(np.arange(60), np.arange(80)).astype(np.int32)
SECONDS_1601 = 11_644_473_600


def extracted(path: Path) -> Extraction:
    """The extraction of a picture."""
    return Image().extract(Candidate(path))


def test_jpks_channels_come_with_the_size_of_the_scan(tmp_path: Path) -> None:
    """The small first page is left out, the others are named, and a pixel has its size in metres."""
    path = tmp_path / "a.jpk"
    top: list[tuple[Any, ...]] = [
        (32768, "s", 0, "6.0.41", True), (32771, "s", 0, "2017-01-16 16:00:32.334 GMT", True), (32772, "s", 0, "glass", True), (32834, "d", 1, 4e-7, True),
        (32835, "d", 1, 3e-7, True), (32838, "I", 1, 80, True), (32839, "I", 1, 60, True), (32841, "d", 1, 4.0, True),
    ]  # fmt: skip
    with tifffile.TiffWriter(path) as file:
        file.write(FRAME[::6, ::8].astype(np.uint8), extratags=top)
        for name, back in (("Height", "true"), ("Error", "false")):
            file.write(FRAME, extratags=[(32850, "s", 0, name, True), (32851, "s", 0, f"retrace : {back}", True)])
    found = extracted(path)
    told = jsonable(found.scientific_metadata)
    assert found.attributes["timestamp"] == "2017-01-16T16:00:32.334000+00:00"
    assert found.attributes["measurement"] == "Atomic force microscopy"
    assert [sample.name for sample in found.samples] == ["glass"]
    assert told["jpk"]["channels"] == ["Height (retrace)", "Error"]
    assert told["jpk"]["scan rate"] == {"value": 4.0, "unit": "Hz"}
    assert told["image"]["width"] == {"value": 80, "unit": "px"}
    assert told["image"]["pixel_width"] == {"value": pytest.approx(5e-9), "unit": "m"}
    assert "2 channels" in found.thumbnails[0].caption


def test_digitalmicrograph_keeps_the_size_of_a_pixel(tmp_path: Path) -> None:
    """Unit and scale of both axes are in Gatan's tags."""
    path = tmp_path / "a.tif"
    tags = [(65003, "s", 0, "nm", True), (65009, "d", 1, 0.25, True), (65010, "d", 1, 0.5, True)]
    tifffile.imwrite(path, FRAME.astype(np.float32), extratags=tags)
    image = jsonable(extracted(path).scientific_metadata)["image"]
    assert (image["pixel_width"], image["pixel_height"]) == (
        {"value": 0.25, "unit": "nm"},
        {"value": 0.5, "unit": "nm"},
    )


def test_jeols_xml_says_microscope_time_and_specimen(tmp_path: Path) -> None:
    """What stands in JEOL's description is told value by value."""
    path = tmp_path / "a.tif"
    xml = (
        '<?xml version="1.0"?><TemReporter><Instruments>JEM-ARM200F</Instruments><Manufacturer>JEOL Ltd.</Manufacturer><Specimen>MoS2</Specimen>'
        "<DateTime>2019-11-27T16:11:26.6205405+09:00</DateTime><EOS><Magnification>40000</Magnification></EOS></TemReporter>"
    )
    tifffile.imwrite(path, FRAME.astype(np.uint16), description=xml, metadata=None)
    found = extracted(path)
    assert found.attributes["instrument_name"] == "JEOL Ltd. JEM-ARM200F"
    assert found.attributes["timestamp"] == "2019-11-27T16:11:26.620540+09:00"
    assert [sample.name for sample in found.samples] == ["MoS2"]
    assert jsonable(found.scientific_metadata)["jeol"]["EOS.Magnification"] == 40000


@pytest.mark.parametrize(
    ("day", "beside", "expected"),
    [
        ("7/9/2014", {}, ""),
        ("7/9/2014", {"count": datetime(2014, 9, 7, 16, tzinfo=UTC)}, "2014-09-07T18:56:37"),
        ("7/9/2014", {"stamp": "Wed Jul 09 18:56:20 2014"}, "2014-07-09T18:56:37"),
        ("27/8/2016", {}, "2016-08-27T18:56:37"),
    ],
)
def test_a_clock_beside_it_decides_the_order_of_a_date(day: str, beside: dict[str, Any], expected: str) -> None:
    """DigitalMicrograph's date is read in the order that its other time agrees with, and not at all where nothing decides."""
    bar: dict[str, Any] = {"Acquisition Date": day, "Acquisition Time": "6:56:37 p.m."}
    tags: dict[str, Any] = {"DataBar": bar}
    if "count" in beside:
        bar["Acquisition Time (OS)"] = (beside["count"].timestamp() + SECONDS_1601) * 1e7
    if "stamp" in beside:
        tags["DigiScan"] = {"TimeStamp": beside["stamp"]}
    when = mapping.gatan_moment({"ImageList": {"TagGroup0": {"ImageTags": tags}}})
    assert when is not None
    assert when.iso == expected
    assert bool(when.warnings) is not bool(expected)


def test_a_mapping_adds_what_the_metadata_do_not_say() -> None:
    """Paths in the original metadata become facts; those that a function cannot convert are left out."""
    one = {
        "metadata": {"General": {"title": "grain"}},
        "original_metadata": {"Scope": {"kV": 200, "Name": "Titan", "odd": "x"}},
        "mapping": {
            "Scope.kV": ("Acquisition_instrument.TEM.beam_energy", float),
            "Scope.Name": ("General.title", None),
            "Scope.odd": ("General.notes", float),
            "Scope.none": ("General.date", None),
        },
    }
    assert mapping.mapped(one) == {
        "General": {"title": "grain"},
        "Acquisition_instrument": {"TEM": {"beam_energy": 200.0}},
    }
