"""What real files of makers' programs showed and their documents did not tell, on files of the same layout with numbers of our own."""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ingestors.api import Candidate, Extraction, UnreadableError, jsonable
from ingestors.binary import Binary
from tests.fakes import binary_files, vendor_files

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path, name: str, content: bytes) -> Extraction:
    """The extraction of a file with that content, which is claimed."""
    path = folder / name
    path.write_bytes(content)
    assert Binary().claim(Candidate(path)) is not None
    return Binary().extract(Candidate(path))


def metadata(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    """Its metadata as plain JSON."""
    found: dict[str, Any] = jsonable(made(folder, name, content).scientific_metadata)
    return found


@pytest.mark.parametrize(
    ("kind", "name", "unit", "least", "greatest", "axis"),
    [
        ("opus", "Absorbance", None, 0.0, 1.0, ("Wavenumber", "1/cm", 4000.0, 400.0)),
        ("omnic", "Absorbance", None, 0.0, 1.0, ("Wavenumber", "1/cm", 4000.0, 400.0)),
        ("perkinelmer", "Transmittance", "%", 0.0, 100.0, ("Wavenumber", "cm-1", 4000.0, 400.0)),
        ("gsf", "O2A", "V", 0.0, 30.75, ("y", "m", 1.5625e-8, 7.34375e-7)),
        ("wsxm", "Topography", "nm", 0.0, 59.0, ("y", "nm", 7.8125, 367.1875)),
    ],
)
def test_values_come_with_unit_range_and_first_axis(
    tmp_path: Path,
    kind: str,
    name: str,
    unit: str | None,
    least: float,
    greatest: float,
    axis: tuple[str, str, float, float],
) -> None:
    """What a spectrum or an image holds is told in its unit, with its range and where its axis begins and ends."""
    file, make = vendor_files.EVERY[kind]
    data = metadata(tmp_path, file, make())["data"]
    assert (data["name"], data.get("unit")) == (name, unit)
    assert [data["min"], data["max"]] == pytest.approx([least, greatest], abs=1e-6)
    first = data["axes"][0]
    assert (first["name"], first["unit"]) == axis[:2]
    assert [first["first"], first["last"]] == pytest.approx(axis[2:])


def test_an_infrared_image_is_a_cube_of_spectra(tmp_path: Path) -> None:
    """PerkinElmer's image has rows, columns and wavenumbers."""
    data = metadata(tmp_path, "a.fsm", vendor_files.perkinelmer_image())["data"]
    assert data["shape"] == [2, 3, 16]
    assert [axis["name"] for axis in data["axes"]] == ["y", "x", "Wavenumber"]


def test_a_group_of_spectra_lists_each(tmp_path: Path) -> None:
    """The members of an OMNIC group come with their titles."""
    found = metadata(tmp_path, "a.spg", vendor_files.omnic(("before", "after")))
    assert found["spectra"] == 2
    assert [one["label"] for one in found["data"]] == ["before", "after"]


@pytest.mark.parametrize("curves", [0, 3])
def test_a_force_curve_is_in_metres_and_newtons(tmp_path: Path, curves: int) -> None:
    """JPK's encoder and chain of conversions are followed, also where all curves share them."""
    found = metadata(tmp_path, "a.jpk-force-map", vendor_files.jpk(curves=curves))
    height, force = found["data"][:2]
    assert (height["unit"], force["unit"]) == ("m", "N")
    assert [height["min"], height["max"]] == pytest.approx([1e-9, 32.5e-9])
    assert force["max"] == pytest.approx(51e-9)
    assert [one["style"] for one in found["segments"]] == ["extend", "retract"]
    assert found.get("curves") == (curves or None)
    assert found.get("curves planned") == (4 if curves else None)


def test_a_curve_without_its_last_segment_says_so(tmp_path: Path) -> None:
    """A JPK curve that was broken off is read as far as it goes."""
    content = binary_files.archive(
        {
            "header.properties": "type=force-scan-series\nforce-scan-series.force-segments.count=2\n",
            "segments/0/segment-header.properties": "channels.list=\n",
        }
    )
    found = made(tmp_path, "a.jpk-force", content)
    assert any("1 of 2 segments" in words for words in found.warnings)


def test_a_packed_experiment_lists_its_waves_by_folder(tmp_path: Path) -> None:
    """Igor's data folders are in the names of the waves, and the history is told."""
    found = metadata(tmp_path, "a.pxp", vendor_files.pxp())
    assert list(found["waves"]) == ["scans:topo", "topo"]
    assert found["waves"]["topo"]["shape"] == [24, 32]
    assert found["history"] == "Made by hand"


def test_a_packed_experiment_of_one_wave_is_that_wave(tmp_path: Path) -> None:
    """Scienta's `.pxt` tells what its one wave tells."""
    wave = binary_files.igor5()
    content = (
        struct.pack("<HhI", 2, 0, 3)
        + b"x\r\0"
        + struct.pack("<HhI", 3, 0, len(wave))
        + wave
        + struct.pack("<HhI", 4, 0, 0)
    )
    found = made(tmp_path, "a.pxt", content)
    assert (found.attributes["dataset_name"], found.attributes["data_type"]) == ("topo", "Igor packed experiment")


def test_words_in_a_wave_are_read(tmp_path: Path) -> None:
    """A text wave of version 5 keeps its texts one behind the other, and where each ends behind them."""
    words = [b"Mary", b"had", b"a lamb"]
    ends = struct.pack("<3i", *np.cumsum([len(word) for word in words]).tolist())
    wave = bytearray(320)
    struct.pack_into("<IIiH", wave, 4, 3_600_000_000, 0, 3, 0)
    struct.pack_into("32s", wave, 28, b"rhyme")
    struct.pack_into("<4i", wave, 68, 3, 0, 0, 0)
    text = b"".join(words)
    head = struct.pack("<hH15i", 5, 0, 320 + len(text), *[0] * 11, len(ends), 0, 0)
    data = metadata(tmp_path, "a.ibw", head + bytes(wave) + text + ends)["data"]
    assert data == {"shape": [3], "dtype": "text", "values": ["Mary", "had", "a lamb"]}


def test_a_wave_that_a_formula_makes_has_no_values(tmp_path: Path) -> None:
    """A dependent wave is described, and a warning says why nothing is shown."""
    content = bytearray(binary_files.igor2())
    struct.pack_into("<i", content, 2, 126)
    found = made(tmp_path, "a.ibw", bytes(content[: 16 + 126]))
    assert not found.thumbnails
    assert any("formula" in words for words in found.warnings)


def test_random_bytes_with_a_version_are_no_wave(tmp_path: Path) -> None:
    """A number that could be a version, and lengths that do not hold what they should, are no Igor wave."""
    content = bytearray(40_000)
    struct.pack_into(">hi", content, 0, 1, 200)
    struct.pack_into(">H", content, 8, 2)
    struct.pack_into(">i", content, 8 + 42, 30_000)
    path = tmp_path / "a.asd"
    path.write_bytes(content)
    assert Binary().claim(Candidate(path)) is None


def test_approach_retraction_and_hold_of_a_force_curve(tmp_path: Path) -> None:
    """NanoScope keeps 4 bytes a number since version 9.2, one LSB means what it says, and what was held stands last."""
    data = metadata(tmp_path, "a.spm", vendor_files.nanoscope_force())["data"]
    assert [(one["label"], one["shape"]) for one in data] == [("approach", [32]), ("retraction", [24])]
    assert data[0]["unit"] == "nm"
    assert data[0]["max"] == pytest.approx(1000 * 0.000375 * 20)
    assert data[0]["axes"][0] == {
        "name": "Z ramp",
        "unit": "nm",
        "points": 32,
        "first": 0.0,
        "last": pytest.approx(49.6),
    }


def test_a_wide_image_keeps_the_scale_of_its_16_bits(tmp_path: Path) -> None:
    """An image that says 2 bytes and has 4 is scaled by the 2 that it says."""
    content = (
        binary_files.nanoscope(4)
        .replace(b"\\Bytes/pixel: 4", b"\\Bytes/pixel: 2")
        .replace(b"\\*File list\r\n", b"\\*File list\r\n\\Version: 0x09300201\r\n", 1)
    )
    moved = content.index(b"\x1a") - binary_files.nanoscope(4).index(b"\x1a")
    four, two = (
        metadata(tmp_path, "a.spm", one)["data"]
        for one in (
            binary_files.nanoscope(4),
            content[: content.index(b"\x1a") + 1] + content[content.index(b"\x1a") + 1 + moved :],
        )
    )
    assert two["max"] == pytest.approx(four["max"] * 65536)


def test_every_point_of_a_raw4_range_is_read(tmp_path: Path) -> None:
    """Bruker's version 4 has the counts first in each point, and says which drive moved."""
    found = metadata(tmp_path, "a.raw", vendor_files.raw4())
    axis, counts = found["table"]["columns"]
    assert (found["table"]["rows"], axis["name"], axis["min"]) == (64, "2Theta", 20.0)
    assert axis["max"] == pytest.approx(20 + 63 * 0.02)
    assert counts["max"] == pytest.approx(100)
    assert (found["anode"], found["scan type"], found["user"]) == ("Cu", "Locked Coupled", "A. Person")


def test_buffers_of_daqmx_are_scaled(tmp_path: Path) -> None:
    """Two interleaved channels of integers become volts."""
    left, right = metadata(tmp_path, "a.tdms", vendor_files.daqmx())["data"]
    assert (left["unit"], left["shape"]) == ("V", [64])
    assert [left["min"], left["max"], right["min"], right["max"]] == pytest.approx([1.0, 2.0, 0.0, 1.0])


def test_a_chromatogram_has_its_time_and_its_unit(tmp_path: Path) -> None:
    """ANDI keeps the sampling interval beside the values."""
    data = metadata(tmp_path, "a.cdf", vendor_files.andi())["data"]
    assert data["max"] == pytest.approx(1000)
    assert data["axes"] == [{"name": "Time", "unit": "s", "points": 64, "first": 1.0, "last": 32.5}]


def test_events_of_a_cytometer_are_a_table(tmp_path: Path) -> None:
    """Each detector is a column with its range; a doubled separator belongs to a value."""
    table = metadata(tmp_path, "a.fcs", vendor_files.fcs())["table"]
    assert [column["name"] for column in table["columns"]] == ["FSC-A", "FL1-A (GFP/RFP)", "Time"]
    assert table["rows"] == 64
    assert [table["columns"][1]["min"], table["columns"][0]["max"]] == pytest.approx([-10, 1000])


@pytest.mark.parametrize(
    ("element", "factor", "name"),
    [("counts", 10.0, "Intensity (corrected for the attenuator)"), ("intensities", 1.0, "Intensity")],
)
def test_counts_behind_an_attenuator_are_corrected(tmp_path: Path, element: str, factor: float, name: str) -> None:
    """PANalytical's `counts` come before the attenuator's factor, its `intensities` have it in them."""
    plain = binary_files.xrdml().decode()
    found = re.search(r"<(intensities|counts)( [^>]*)?>([^<]*)</\1>", plain)
    assert found is not None
    size = len(found[3].split())
    values, factors = " ".join(str(index) for index in range(size)), " ".join(["10"] * (size - 1) + ["1"])
    changed = plain.replace(
        found[0],
        f'<beamAttenuationFactors>{factors}</beamAttenuationFactors><{element} unit="counts">{values}</{element}>',
    )
    column = metadata(tmp_path, "a.xrdml", changed.encode())["table"]["columns"][-1]
    assert (column["name"], column["max"]) == (name, max((size - 2) * factor, size - 1))


def test_years_of_labspec_count_from_1900(tmp_path: Path) -> None:
    """LabSpec writes 115 for 2015 into SPC files."""
    content = bytearray(binary_files.spc())
    packed = 115 << 20 | 5 << 16 | 9 << 11 | 16 << 6 | 33
    struct.pack_into("<I", content, 32, packed)
    assert made(tmp_path, "a.spc", bytes(content)).attributes["timestamp"] == "2015-05-09T16:33:00"


@pytest.mark.parametrize("kind", sorted(vendor_files.EVERY))
def test_a_file_that_is_cut_off_anywhere_is_read_or_refused(tmp_path: Path, kind: str) -> None:
    """No length of a file makes anything but an extraction or a sentence."""
    name, make = vendor_files.EVERY[kind]
    content = make()
    path = tmp_path / name
    for end in np.linspace(8, len(content) - 1, 25).astype(int).tolist():
        path.write_bytes(content[:end])
        if Binary().claim(Candidate(path)) is not None:
            with suppress(UnreadableError):
                Binary().extract(Candidate(path))


def test_a_driven_cantilever_is_an_afm_whatever_the_controller_is_called(tmp_path: Path) -> None:
    """Nanonis: oscillation control that is on says more than the name of the height's controller; `pixels/line` is no unit."""
    told = b":Oscillation Control>Phase controller on:\nTRUE\n:Oscillation Control>Amplitude controller on:\nTRUE\n:Oscillation Control>output off:\nFALSE\n:Scan>pixels/line:\n32\n"
    content = binary_files.sxm().replace(b":SCANIT_END:", told + b":SCANIT_END:")
    assert made(tmp_path, "plain.sxm", binary_files.sxm()).attributes["measurement"] == "Scanning tunneling microscopy"
    found = made(tmp_path, "driven.sxm", content)
    assert found.attributes["measurement"] == "Atomic force microscopy"
    assert "pixels/line" in str(jsonable(found.scientific_metadata))


def test_a_picture_of_nothing_comes_last(tmp_path: Path) -> None:
    """A channel that recorded zeros only must not stand for the file."""
    planes = np.stack([np.zeros((24, 32))] * 2 + [np.arange(24 * 32).reshape(24, 32)] * 2).astype(">f4")
    head = binary_files.sxm().partition(b"\x1a\x04")[0]
    row = b"\t14\tZ\tm\tboth\t1.0E+0\t0.0E+0\n"
    head = head.replace(row, row.replace(b"14\tZ\tm", b"0\tAux\tV") + row)
    found = made(tmp_path, "flat.sxm", head + b"\x1a\x04" + planes.tobytes())
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["Z", "Aux"]


def test_a_line_detector_at_rest_is_a_pattern_over_its_channels(tmp_path: Path) -> None:
    """Bruker's "PSD fixed" has one point with all channels, whose angles count from the detector's position."""
    channels = 40
    counts = [10 * index % 130 for index in range(channels)]
    raw = (
        '<RawData><TimeStampStarted>2022-05-06T07:08:09+02:00</TimeStampStarted><DataRoutes><DataRoute RouteFlag="Final">'
        '<ScanInformation VisibleName="PSD fixed"><ScanAxes><ScanAxisInfo AxisName="TwoTheta" VisibleName="2Theta" Unit="°">'
        "<Reference>30</Reference><Start>-2</Start><Stop>1.9</Stop><Increment>0.1</Increment></ScanAxisInfo></ScanAxes></ScanInformation>"
        f'<DataViews><RawDataView Start="0" Length="2"/><RawDataView Start="2" Length="{channels}"><Recording/></RawDataView></DataViews>'
        f"<Datum>60,1,{','.join(map(str, counts))}</Datum></DataRoute></DataRoutes></RawData>"
    )
    found = made(tmp_path, "still.brml", binary_files.archive({"Experiment0/RawData0.xml": raw}))
    angle, intensity = jsonable(found.scientific_metadata)["table"]["columns"]
    assert (angle["name"], angle["min"], angle["max"]) == ("2Theta", 28.0, pytest.approx(31.9))
    assert (intensity["min"], intensity["max"]) == (min(counts), max(counts))


@pytest.mark.parametrize("order", ["<", ">"])
def test_variables_of_matlab_4_are_listed(tmp_path: Path, order: str) -> None:
    """Octave, LabVIEW and old MATLABs: no mark, a header for each variable."""
    variables = metadata(tmp_path, "a.mat", vendor_files.matlab4(order))["variables"]
    assert {name: one["shape"] for name, one in variables.items()} == {
        "sweep": [64, 2], "gain": [1, 1], "operator": [1, 3], "links": [5, 9],
    }  # fmt: skip
    assert (variables["gain"]["value"], variables["operator"]["value"]) == (0.125, "Ada")
    assert variables["links"]["entries"] == 2


def test_zeros_are_no_variable_of_matlab_4(tmp_path: Path) -> None:
    """A file of zeros begins like a header of a type that there is."""
    path = tmp_path / "zeros.dat"
    path.write_bytes(bytes(4096))
    assert Binary().claim(Candidate(path)) is None
