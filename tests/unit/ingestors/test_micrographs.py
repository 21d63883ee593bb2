from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestors.api import Candidate, Extraction, Quantity, UnreadableError, jsonable
from ingestors.image import Image
from ingestors.image.electron import beside

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = np.mgrid[0:60, 0:80]
FRAME = (1000 + 500 * np.sin(COLUMNS / 7) * np.cos(ROWS / 5)).astype(np.uint16)
FEI = """[User]\r
Date=03/19/2021\r
Time=02:10:11 PM\r
[System]\r
SystemType=Helios NanoLab 600\r
[Beam]\r
HV=5000\r
Beam=EBeam\r
[EBeam]\r
BeamCurrent=8.6e-011\r
WD=0.00412\r
[EScan]\r
PixelWidth=2.5e-009\r
PixelHeight=2.5e-009\r
"""
ZEISS = """\r
AP_IMAGE_PIXEL_SIZE\r
Image Pixel Size = 5.582 nm\r
AP_WD\r
WD =  4.5 mm\r
AP_ACTUALKV\r
EHT =  3.00 kV\r
AP_DATE\r
Date :12 Feb 2020\r
AP_TIME\r
Time :10:11:12\r
SV_SERIAL_NUMBER\r
Serial No. = ULTRA 55-36-14\r
"""
TESCAN = b"\x01\x02\x03\x00[MAIN]\nDevice=MIRA3 LM\nDate=2016-04-11\nTime=12:30:05\nPixelSizeX=1.2e-8\nPixelSizeY=1.2e-8\n[SEM]\nHV=15000\nWD=0.0098\n"
PILATUS = """# Pilatus model\r
# Detector: PILATUS 300K, S/N 3-0101\r
# 2011-07-22T10:32:20.769\r
# Pixel_size 172e-6 m x 172e-6 m\r
# Exposure_time 10.0000000 s\r
"""


def extracted(path: Path) -> Extraction:
    """The extraction, whose metadata are JSON."""
    found = Image().extract(Candidate(path))
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    assert found.thumbnails
    return found


def test_an_fei_image_says_microscope_time_voltage_and_pixel(tmp_path: Path) -> None:
    """FEI writes SI units without saying so, and the month before the day."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(np.uint8), extratags=[(34682, "s", 0, FEI, True)])
    found = extracted(path)
    assert found.attributes["measurement"] == "Scanning electron microscopy"
    assert found.attributes["instrument_name"] == "Helios NanoLab 600"
    assert found.attributes["timestamp"] == "2021-03-19T14:10:11"
    assert found.scientific_metadata["fei"]["EBeam"]["BeamCurrent"] == Quantity(8.6e-11, "A")
    assert found.scientific_metadata["image"]["pixel_width"] == Quantity(2.5e-9, "m")


def test_an_ion_beam_image_is_no_sem_image(tmp_path: Path) -> None:
    """The same microscope, the same tag: the beam decides."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(np.uint8), extratags=[(34682, "s", 0, FEI.replace("EBeam", "IBeam"), True)])
    assert extracted(path).attributes["measurement"] == "Focused ion beam imaging"


def test_a_zeiss_image_says_its_values_with_units(tmp_path: Path) -> None:
    """SmartSEM writes the unit behind the number, dates behind a colon, and internal names between."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(np.uint8), extratags=[(34118, "B", len(ZEISS), ZEISS.encode("cp1252"), True)])
    found = extracted(path)
    assert found.attributes["timestamp"] == "2020-02-12T10:11:12"
    assert found.scientific_metadata["zeiss"]["EHT"] == Quantity(3.0, "kV")
    assert found.scientific_metadata["zeiss"]["WD"] == Quantity(4.5, "mm")
    assert found.scientific_metadata["image"]["pixel_width"] == Quantity(5.582, "nm")


def test_a_tescan_image_is_read_behind_its_binary_part(tmp_path: Path) -> None:
    """The tag begins with bytes that are no text."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(np.uint8), extratags=[(50431, "B", len(TESCAN), TESCAN, True)])
    found = extracted(path)
    assert found.attributes["instrument_name"] == "TESCAN MIRA3 LM"
    assert found.attributes["timestamp"] == "2016-04-11T12:30:05"
    assert found.scientific_metadata["tescan"]["SEM"]["HV"] == Quantity(15000, "V")
    assert found.scientific_metadata["image"]["pixel_height"] == Quantity(1.2e-8, "m")


def test_an_imagej_hyperstack_is_a_montage_of_its_frames(tmp_path: Path) -> None:
    """Its frames stand behind one directory entry; unit and interval are ImageJ's own."""
    path = tmp_path / "a.tif"
    stack = np.stack([FRAME + 10 * index for index in range(20)]).reshape(5, 2, 2, 60, 80)
    about: dict[str, Any] = {
        "axes": "TZCYX",
        "unit": "um",
        "spacing": 0.5,
        "finterval": 2.0,
        "Info": "Exposure = 100 ms",
    }
    tifffile.imwrite(path, stack, imagej=True, resolution=(1 / 0.13, 1 / 0.13), metadata=about)
    found = extracted(path)
    assert found.scientific_metadata["image"]["times"] == 5
    assert found.scientific_metadata["image"]["slices"] == 2
    assert found.scientific_metadata["image"]["pixel_width"].unit == "µm"
    assert found.scientific_metadata["image"]["pixel_width"].value == pytest.approx(0.13)
    assert found.scientific_metadata["imagej"]["finterval"] == Quantity(2.0, "s")
    assert found.scientific_metadata["imagej"]["spacing"] == Quantity(0.5, "µm")
    assert "12 of 20 frames" in found.thumbnails[0].caption


def test_an_ome_tiff_says_what_its_xml_says(tmp_path: Path) -> None:
    """Channels, sizes with their units, the method only because a channel names it."""
    path = tmp_path / "a.ome.tif"
    about: dict[str, Any] = {
        "axes": "ZCYX",
        "Name": "grid 7",
        "PhysicalSizeX": 0.1,
        "PhysicalSizeXUnit": "µm",
        "AcquisitionDate": "2022-05-06T07:08:09",
        "Channel": {"Name": ["DAPI", "GFP"], "ContrastMethod": ["Fluorescence", "Fluorescence"]},
    }
    tifffile.imwrite(path, np.stack([FRAME] * 6).reshape(3, 2, 60, 80), ome=True, metadata=about)
    found = extracted(path)
    assert found.attributes["data_type"] == "OME-TIFF"
    assert found.attributes["measurement"] == "Fluorescence microscopy"
    assert found.attributes["timestamp"] == "2022-05-06T07:08:09"
    assert found.attributes["dataset_name"] == "grid 7"
    assert [channel["Name"] for channel in found.scientific_metadata["ome"]["Channels"]] == ["DAPI", "GFP"]
    assert found.scientific_metadata["image"]["pixel_width"] == Quantity(0.1, "µm")


def test_a_pilatus_frame_says_its_exposure(tmp_path: Path) -> None:
    """Dectris writes comment lines into the description."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(np.int32), description=PILATUS)
    found = extracted(path)
    assert found.attributes["timestamp"] == "2011-07-22T10:32:20.769000"
    assert found.scientific_metadata["detector"]["Exposure_time"] == Quantity(10.0, "s")
    assert found.scientific_metadata["image"]["pixel_width"] == Quantity(172e-6, "m")


@pytest.mark.parametrize("kind", ["float32", "float64", "uint32", "int16", "complex64", "bool", "uint8", "int64"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_numbers_of_any_kind_make_a_picture(tmp_path: Path, kind: str, compression: str | None) -> None:
    """Detectors store floats, long integers, even complex numbers."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, FRAME.astype(kind), compression=compression)
    found = Image().extract(Candidate(path))
    assert found.scientific_metadata["image"]["width"] == Quantity(80, "px")
    if compression is None:
        assert found.thumbnails


def test_a_printers_resolution_is_no_pixel_size(tmp_path: Path) -> None:
    """300 pixels per inch say nothing about what is seen; 40,000 per centimetre do."""
    for dots, unit, known in ((300, 2, False), (40_000, 3, True)):
        path = tmp_path / f"{dots}.tif"
        tifffile.imwrite(path, FRAME, resolution=(dots, dots), resolutionunit=unit)
        assert ("pixel_width" in extracted(path).scientific_metadata["image"]) is known


def test_the_text_beside_a_picture_is_read(tmp_path: Path) -> None:
    """Hitachi's microscopes write what they know into a text file of the same name."""
    path, text = tmp_path / "a.tif", tmp_path / "a.txt"
    tifffile.imwrite(path, FRAME.astype(np.uint8))
    text.write_text(
        "[SemImageFile]\nInstructName=SU8000\nSampleName=Si wafer\nDate=2019/06/07\nTime=10:11:12\nPixelSize=9.921875\nAcceleratingVoltage=15000 Volt\n"
    )
    found = Image().extract(Candidate(path, (text,)))
    assert found.attributes["instrument_name"] == "Hitachi SU8000"
    assert found.attributes["timestamp"] == "2019-06-07T10:11:12"
    assert [sample.name for sample in found.samples] == ["Si wafer"]
    assert found.scientific_metadata["image"]["pixel_width"] == Quantity(9.921875, "nm")


def test_jeols_text_tells_the_size_of_a_pixel() -> None:
    """The bar's length in pixels and what it stands for."""
    facts = beside(
        "$CM_FORMAT JEOL-SEM\n$CM_TITLE grain 3\n$CM_DATE 2015/03/04\n$CM_TIME 16:17:18\n$CM_ACCEL_VOLT 10.00\n$$SM_MICRON_BAR 100\n$$SM_MICRON_MARKER 1um\n"
    )
    assert facts.pixel == (0.01, 0.01, "um")
    assert facts.timestamp == "2015-03-04T16:17:18"
    assert facts.metadata["jeol"]["CM_ACCEL_VOLT"] == Quantity(10.0, "kV")


def test_a_deflated_bomb_in_a_tiff_is_not_blown_up(tmp_path: Path) -> None:
    """A strip whose stream is longer than its rows: nothing is made of what the header does not promise."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((64, 64), np.float64), compression="zlib")
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        assert isinstance(page, tifffile.TiffPage)
        offsets, counts = page.tags[273], page.tags[279]
    bomb = zlib.compress(bytes(300 * 2**20), 9)
    raw[offsets.valueoffset : offsets.valueoffset + 4] = len(raw).to_bytes(4, "little")
    raw[counts.valueoffset : counts.valueoffset + counts.valuebytecount] = len(bomb).to_bytes(
        counts.valuebytecount, "little"
    )
    path.write_bytes(bytes(raw) + bomb)
    found = Image().extract(Candidate(path))
    assert found.scientific_metadata["image"]["width"] == Quantity(64, "px")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["fei", "imagej", "ome"]),
    st.lists(st.tuples(st.integers(0, 2000) | st.integers(0, 10**6), st.integers(0, 255)), max_size=8),
    st.integers(0, 300),
)
def test_damaged_stacks_are_read_or_refused_with_a_sentence(
    tmp_path: Path, kind: str, damage: list[tuple[int, int]], cut: int
) -> None:
    """Flipped and missing bytes never raise anything but UnreadableError."""
    path = tmp_path / "a.tif"
    stack = np.stack([FRAME[:20, :30]] * 4)
    if kind == "fei":
        tifffile.imwrite(path, stack[0], extratags=[(34682, "s", 0, FEI, True)])
    elif kind == "imagej":
        tifffile.imwrite(path, stack, imagej=True, metadata={"unit": "um"})
    else:
        tifffile.imwrite(path, stack, ome=True)
    raw = bytearray(path.read_bytes())
    for place, value in damage:
        raw[place % len(raw)] = value
    path.write_bytes(raw[: max(8, len(raw) - cut)])
    if Image().claim(Candidate(path)) is not None:
        try:
            Image().extract(Candidate(path))
        except UnreadableError as error:
            assert str(error)  # noqa: PT017 both ends are right
