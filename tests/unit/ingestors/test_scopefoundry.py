from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from ingestors.api import Candidate, Extraction, Ingestor, Quantity, Sample, UnreadableError, jsonable
from ingestors.hdf5 import HDF5
from ingestors.scopefoundry import ScopeFoundry
from ingestors.scopefoundry.person import Person, meant, typed
from tests.fakes.scopefoundry_files import MFID, Component, FakeFile, tray

CORPUS = Path(__file__).parents[2] / "data/corpus/scopefoundry"

FACTS: dict[str, dict[str, Any]] = {
    "made_1.0.0.0/261120_151542_sine_wave_plot.h5": {
        "timestamp": "2026-11-20T15:15:42.262340+00:00",
        "data": {"buffer": [120]},
        "pictures": ["buffer"],
    },
    "made_1.0.0.0/261120_151546_apd_2d_scan.h5": {
        "timestamp": "2026-11-20T15:15:46.038735+00:00",
        "data": {"count_rate_map": [1, 11, 21], "h_array": [21]},
        "pictures": ["count_rate_map"],
    },
    "made_1.2.3/261120_151524_camera_image_stack.h5": {"data": {"t0/c0/image": [3, 96, 128]}, "pictures": ["images"]},
    "made_1.3.0/261120_151519_andor_spec_readout.h5": {
        "unique_id": "0tr0cg3pf9y25000wbkera4x8r",
        "data": {"spectrum": [256], "wls": [256]},
        "pictures": ["spectrum"],
    },
    "made_1.5.0/261120_151510_apd_2d_scan.h5": {
        "timestamp": "2026-11-20T15:15:10.711115+00:00",
        "unique_id": "0tr0cfzbc1yd1000pv068618pc",
        "pictures": ["count_rate_map"],
    },
    "made_2.0.2/261120_151505_hyperspec_emd.h5": {
        "data": {"spec_map/data": [8, 12, 256]},
        "pictures": ["map and spectrum", "sum over the spectrum", "sum of the spectra"],
    },
    "made_2.2.1/261120_151451_camera_image_stack.h5": {"pictures": ["images"]},
    "made_2.2.1/261121_145859_example_3d_scan.h5": {
        "timestamp": "2026-11-21T14:58:59+00:00",
        "instrument": "fancy app",
        "sample": "calibration grid 7",
        "data": {"signal_map": [2, 5, 9], "z_array": [2]},
        "pictures": ["signal_map"],
    },
    "made_2.2.1/261121_153105_sweep_2d.h5": {
        "timestamp": "2026-11-21T15:31:05+00:00",
        "instrument": "sweep_microscope",
        "sample": "graphene",
        "data": {"spectrometer_spectrum_raw": [6, 4, 2, 64], "positions": [24, 2]},
        "pictures": ["any_setting_0_hardware__stage__signal", "spectrometer_spectrum"],
    },
    "made_2.3.0/261120_151439_sine_wave_plot.h5": {"timestamp": "2026-11-20T15:14:39+00:00", "pictures": ["buffer"]},
    "made_2.3.0/261120_151439_sine_wave_plot_INPROGRESS.h5": {"pictures": ["buffer"], "warning": "61 of 120 values"},
    "made_2.3.0/261120_151441_time_trace.h5": {
        "data": {"signal": [72], "empty_events": [0, 3]},
        "pictures": ["signal"],
        "warning": "Nothing was recorded in empty_events",
    },
    "made_2.3.0/261120_151443_andor_spec_readout.h5": {"pictures": ["spectrum"]},
    "made_2.3.0/261120_151443_apd_2d_scan.h5": {"unique_id": MFID, "pictures": ["count_rate_map"]},
    "made_2.3.0/261120_151443_hyperspec_emd.h5": {
        "pictures": ["map and spectrum", "sum over the spectrum", "sum of the spectra"]
    },
    "made_2.3.0/261120_151445_example_2d_scan.h5": {
        "instrument": "fancy app",
        "sample": "calibration grid 7",
        "pictures": ["signal_map"],
    },
}


def extracted(path: Path, *companions: Path) -> Extraction:
    """The extraction, whose metadata are JSON."""
    candidate = Candidate(path, companions)
    assert ScopeFoundry().claim(candidate) is not None
    found = ScopeFoundry().extract(candidate)
    json.dumps(jsonable(found.scientific_metadata), allow_nan=False)
    return found


def test_it_is_an_ingestor() -> None:
    """The registry accepts only what keeps the protocol."""
    assert isinstance(ScopeFoundry(), Ingestor)


def test_every_file_of_the_corpus_has_its_facts_here() -> None:
    """A file that is added to the corpus must be described."""
    assert {str(path.relative_to(CORPUS)) for path in CORPUS.rglob("*.h5")} - {
        str(path.relative_to(CORPUS)) for path in CORPUS.glob("andreabassi78*/*")
    } == set(FACTS)


@pytest.mark.parametrize("name", sorted(FACTS))
def test_real_files_tell_what_they_hold(name: str) -> None:
    """Each layout gives measurement, instrument, time, id, sample, settings with units, data and pictures within a second of work."""
    facts, path = FACTS[name], CORPUS / name
    begun = time.process_time()
    found = extracted(path)
    assert time.process_time() - begun < 1.0
    measurement = path.stem.split("_", 2)[2].removesuffix("_INPROGRESS")
    assert found.attributes["measurement"] == measurement
    assert found.attributes["dataset_name"] == path.stem
    assert found.attributes["instrument_name"] == facts.get("instrument", "corpus_microscope")
    assert found.attributes["timestamp"].startswith(facts.get("timestamp", "2026-11-20T15:1"))
    assert found.attributes["timestamp"].endswith("+00:00")
    assert found.attributes.get("unique_id", "") == facts.get("unique_id", found.attributes.get("unique_id", ""))
    assert list(found.samples) == [Sample(facts.get("sample", "WSe2 flake #3 (Si/SiO₂)"))]
    assert [thumbnail.caption for thumbnail in found.thumbnails] == facts["pictures"]
    assert "warning" not in facts or any(facts["warning"] in warning for warning in found.warnings)
    datasets = found.scientific_metadata["datasets"]
    for data, shape in facts.get("data", {}).items():
        assert datasets[f"/measurement/{measurement}/{data}"]["shape"] == shape


def test_settings_carry_their_units_where_the_file_has_them() -> None:
    """`settings/units` is folded into the settings; array settings, blanks in names and the git group stay."""
    metadata = extracted(CORPUS / "made_2.3.0/261120_151443_apd_2d_scan.h5").scientific_metadata
    andor = metadata["hardware"]["andor_spec"]["settings"]
    assert andor["exposure_time"] == Quantity(0.05, "s")
    assert andor["roi"] == [0, 256, 0, 64]
    assert andor["connected"] is True
    assert "units" not in andor
    assert metadata["measurement"]["apd_2d_scan"]["settings"]["pixel_time"] == Quantity(1.0, "s")
    assert metadata["app"]["settings"]["wheel manipulation"] is True
    assert metadata["git"]["project_branch"] == "main"


def test_scalars_that_are_attributes_of_the_measurement_are_kept() -> None:
    """From 2.1 on `save_h5` writes scalars beside the settings, and text as a scalar dataset."""
    found = extracted(CORPUS / "made_2.3.0/261120_151443_andor_spec_readout.h5").scientific_metadata
    assert found["measurement"]["andor_spec_readout"]["laser_power_mW"] == 1.25
    assert isinstance(found["measurement"]["andor_spec_readout"]["integration_note"], str)


def test_known_measurements_are_claimed_above_others_and_above_plain_hdf5(tmp_path: Path) -> None:
    """Specificity orders the ingestors, so it must grow with what is known; the file's name does not matter."""
    known = ScopeFoundry().claim(Candidate(FakeFile(measurement="oo_spec_live").write(tmp_path / "a.dat")))
    other = Candidate(FakeFile(measurement="something_new").write(tmp_path / "b"))
    unknown, plain = ScopeFoundry().claim(other), HDF5().claim(other)
    assert known is not None
    assert unknown is not None
    assert plain is not None
    assert known.specificity > unknown.specificity > plain.specificity


def test_other_hdf5_is_declined() -> None:
    """An .h5 file of another program is not ScopeFoundry's."""
    assert ScopeFoundry().claim(Candidate(CORPUS.parent / "other/punx/draft_1D_NXcanSAS.h5")) is None


@pytest.mark.parametrize("component", ["mf_crucible", "mf-crucible", "mf_crucible_spinbot", "mf_crucible_nirvana"])
def test_what_the_person_typed_becomes_attributes(tmp_path: Path, component: str) -> None:
    """Session, project, ORCID, tags and comments, in each spelling of the component's name."""
    settings = {
        "email": "j.doe@example.org",
        "orcid": "0000-0002-1825-0097",
        "proposal": "MFP01234 (Some title)",
        "session_name": "night shift",
        "comments": "after annealing",
        "tags": "perovskite, 532 nm,, perovskite",
    }
    found = extracted(FakeFile(hardware={component: Component(settings)}).write(tmp_path / "a.h5"))
    assert found.attributes["session_name"] == "night shift"
    assert found.attributes["project_id"] == "MFP01234"
    assert found.attributes["owner_orcid"] == "0000-0002-1825-0097"
    assert list(found.keywords) == ["perovskite", "532 nm"]
    assert found.scientific_metadata["comments"] == "after annealing"


@pytest.mark.parametrize(
    "placeholder",
    [
        "",
        "(optional)",
        "list,tags,separated,by,commas (optional)",
        "enter a session name to group datasets by (optional)",
        "enter a comma separated list of keywords to attach (optional)",
        "XXXX-XXXX-XXXX-XXXX",
        "xxxx-xxxx-xxxx-xxxx",
        "  ",
        "None",
    ],
)
def test_placeholders_are_nobodys_words(placeholder: str) -> None:
    """What the program shows before anybody typed must never become a session, a project or a keyword."""
    names = ("session_name", "proposal", "orcid", "tags", "comments", "sample")
    assert typed({"mf_crucible": dict.fromkeys(names, placeholder)}) == Person()


def test_layout_100_is_read(tmp_path: Path) -> None:
    """The first layout has `gui` instead of `app`, and units as attributes beside the settings."""
    fake = FakeFile(
        version=100,
        time_id=1466000000.5,
        unique_id=None,
        app=Component({"sample": "S1"}),
        hardware={"stage": Component({"x": 1.5, "port": "COM1"}, {"x": "um"})},
    )
    found = extracted(fake.write(tmp_path / "1466000000_sine_wave_plot.h5"))
    assert found.attributes["instrument_name"] == "fake_microscope"
    assert found.attributes["timestamp"] == "2016-06-15T14:13:20.500000+00:00"
    assert "unique_id" not in found.attributes
    x = found.scientific_metadata["hardware"]["stage"]["settings"]["x"]
    assert isinstance(x, Quantity)
    assert x.value == 1.5
    assert list(found.samples) == [Sample("S1")]


def test_the_very_first_layout_has_settings_and_measurements_elsewhere(tmp_path: Path) -> None:
    """As ScopeFoundry's own documentation drew it: attributes at the component, its units beside or below, measurements at the root."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["ScopeFoundry_version"], file.attrs["time_id"] = 100, 1456000000.0
        file.create_group("gui").attrs.update(sample="S2", exposure=0.5, exposure_unit="s")
        laser = file.create_group("hardware/laser")
        laser.attrs.update(ScopeFoundry_Type="Hardware", name="laser", power=1.5, wavelength=532.0)
        laser.create_group("units").attrs.update(power="mW", wavelength="[n_m]")
        scan = file.create_group("confocal_scan")
        scan.attrs.update(ScopeFoundry_Type="Measurement", name="confocal_scan", range=3.0)
        scan.create_group("units").attrs.update(range="[u_m]")
        scan.create_group("count_map").attrs["emd_group_type"] = 1
        scan["count_map/data"] = RNG.random((5, 7))
    found = extracted(path)
    assert found.attributes["measurement"] == "confocal_scan"
    assert list(found.samples) == [Sample("S2")]
    metadata = found.scientific_metadata
    assert metadata["gui"]["exposure"] == Quantity(0.5, "s")
    assert (metadata["hardware"]["laser"]["power"], metadata["hardware"]["laser"]["wavelength"]) == (
        Quantity(1.5, "mW"),
        Quantity(532.0, "nm"),
    )
    assert metadata["confocal_scan"]["range"] == Quantity(3.0, "um")
    assert len(found.thumbnails) == 1


@pytest.mark.parametrize(
    ("text", "valid"), [(MFID, True), (MFID.upper(), False), (MFID[:-1], False), ("l" * 26, False), ("", False)]
)
def test_only_a_valid_id_is_taken_from_the_file(tmp_path: Path, text: str, *, valid: bool) -> None:
    """An id that the catalog would refuse is worse than none."""
    found = extracted(FakeFile(unique_id=text).write(tmp_path / "a.h5"))
    assert found.attributes.get("unique_id") == (text if valid else None)


@pytest.mark.parametrize("time_id", [0.0, -1.0, float("nan"), 1e18])
def test_an_impossible_time_is_no_time(tmp_path: Path, time_id: float) -> None:
    """The dataset then has no time from the file, and a warning says so."""
    found = extracted(FakeFile(time_id=time_id).write(tmp_path / "a.h5"))
    assert "timestamp" not in found.attributes
    assert any("time_id" in warning for warning in found.warnings)


def test_settings_of_a_running_measurement_are_called_a_snapshot(tmp_path: Path) -> None:
    """ScopeFoundry writes settings when the file is made; a reader must not take them for the final ones."""
    own = Component({"run_state": "run_thread_run", "progress": 50.0})
    assert any("snapshot" in warning for warning in extracted(FakeFile(own=own).write(tmp_path / "a.h5")).warnings)
    assert not extracted(FakeFile().write(tmp_path / "b.h5")).warnings


def test_several_measurements_in_one_file_are_named(tmp_path: Path) -> None:
    """The one that the file is named after describes it, the others are in a warning."""
    path = FakeFile(measurement="first").write(tmp_path / "200101_120000_second.h5")
    with h5py.File(path, "a") as file:
        file.create_group("measurement/second")
    found = extracted(path)
    assert found.attributes["measurement"] == "second"
    assert any("2 measurements (first, second)" in warning for warning in found.warnings)


def test_a_file_of_settings_only_is_a_dataset_too(tmp_path: Path) -> None:
    """No measurement is a warning, not a failure."""
    path = FakeFile().write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["measurement"]
    assert any("no measurement" in warning for warning in extracted(path).warnings)


RNG = np.random.default_rng(7)
WLS = np.linspace(400.0, 900.0, 64)
VIEWS: dict[str, tuple[dict[str, Any], int]] = {
    "hyperspec_picam_mcl": (
        {"spec_map": RNG.random((1, 5, 7, 64)), "wls": WLS, "h_array": np.arange(7.0), "v_array": np.arange(5.0)},
        3,
    ),
    "piezo_hyperspec": ({"spec_map": RNG.random((1, 5, 7, 1, 64)), "wls": WLS}, 3),
    "hyperspec_cl": ({"spec_map": RNG.random((1, 1, 5, 7, 64)), "wls": WLS, "adc_map": RNG.random((1, 1, 5, 7, 2))}, 4),
    "picam_readout": ({"spectrum": RNG.random(64), "wavelengths": WLS}, 1),
    "andor_ccd_readout": ({"spectrum": RNG.random((8, 64)), "wls": WLS}, 1),
    "power_scan": ({"spectra": RNG.random((9, 64)), "wls": WLS, "pm_powers": np.logspace(-6, -3, 9)}, 2),
    "trpl_2d_scan": ({"time_trace_map": RNG.random((1, 5, 7, 64)), "time_array": np.arange(64.0)}, 3),
    "picoharp_histogram": ({"time_histogram": RNG.random((2, 64)), "time_array": np.arange(64.0)}, 1),
    "auger_spectrum": ({"chan_data": RNG.random((7, 64)), "ke": np.tile(WLS, (7, 1))}, 1),
    "spec_run": ({"pl_spectra": RNG.random((3, 64)), "pl_wls": WLS, "photo": RNG.random((8, 9))}, 2),
    "photocurrent_iv": ({"V": np.arange(9.0), "I": np.arange(9.0)}, 1),
    "hyperspec_large": ({"spec_map": np.ones((1, 60, 70, 1000), dtype=np.float32), "wls": np.arange(1000.0)}, 3),
    "sync_raster_scan": ({"adc_map": RNG.random((2, 1, 9, 9, 3)), "ctr_map": RNG.integers(0, 9, (2, 1, 9, 9, 2))}, 1),
    "simple_tiled_image": ({"live_img_map": RNG.integers(0, 255, (1, 2, 3, 20, 30, 3), dtype=np.uint8)}, 1),
    "toupcam_live": ({"image": RNG.integers(0, 255, (48, 64, 3), dtype=np.uint8)}, 1),
    "APD_MCL_2DSlowScan": (
        {"count_rate_map": RNG.random((1, 5, 7)), "h_array": np.arange(7.0), "v_array": np.arange(5.0)},
        1,
    ),
    "sweep_1D": ({"range_x": np.arange(9.0), "daq_power": RNG.random(9), "positions": np.arange(9.0)}, 1),
    "sweep_2D": ({"range_x": np.arange(9.0), "range_y": np.arange(4.0), "daq_power": RNG.random((9, 4))}, 1),
    "unheard_of": ({"weird": RNG.random((3, 4, 5, 6))}, 1),
    "nothing": ({}, 0),
    "empty_spectrum": ({"spectrum": np.zeros(0), "wls": np.zeros(0)}, 0),
    "hyperspec_wrong": ({"spec_map": np.float64(3.0), "wls": np.array(["a"], dtype="S1")}, 0),
}


@pytest.mark.parametrize("measurement", sorted(VIEWS))
def test_each_kind_of_measurement_has_its_pictures(tmp_path: Path, measurement: str) -> None:
    """Every view draws what its measurement writes, and gives up quietly on what it cannot use."""
    data, count = VIEWS[measurement]
    found = extracted(FakeFile(measurement=measurement, data=data).write(tmp_path / "a.h5"))
    assert len(found.thumbnails) == count
    assert all(thumbnail.width <= 400 and thumbnail.height <= 300 for thumbnail in found.thumbnails)


LEEM: dict[str, tuple[dict[str, Any], str, str, int]] = {
    "sv_ramp": (
        {
            "0000_sv_array": np.linspace(0, 30, 16),
            "000_imavg_array": RNG.random(16),
            "000_im_array": RNG.random((16, 12, 14)) + 1,
        },
        "LEEM-IV",
        "ScopeFoundryH5.qspleem_sv_ramp.real_space",
        2,
    ),
    "sv_ramp_spin": (
        {
            "0000_sv_array": np.linspace(0, 30, 16),
            "000_imavg_up_array": RNG.random(16),
            "000_imavg_down_array": RNG.random(16),
            "000_asym_array": RNG.random(16),
            "000_im_up_array": RNG.random((16, 12, 14)) ** 40,
            "000_im_down_array": RNG.random((16, 12, 14)) ** 40,
        },
        "SPLEED-IV",
        "ScopeFoundryH5.qspleem_sv_ramp_spin.diffraction",
        3,
    ),
    "image_save": (
        {"000_im_array": RNG.random((12, 14)) ** 40},
        "LEED Image",
        "ScopeFoundryH5.qspleem_image_save.diffraction",
        1,
    ),
    "SPLEEM_image": (
        {"images": RNG.random((3, 2, 12, 14))},
        "SPLEEM Image",
        "ScopeFoundryH5.qspleem_spleem_image.real_space",
        1,
    ),
    "ARRES_EK": (
        {"spectrum": RNG.random((2, 9, 11)), "eV": np.linspace(0, 20, 9), "uv": RNG.random((11, 2))},
        "ARRES E(k)",
        "ScopeFoundryH5.qspleem_arres_ek.spectrum",
        2,
    ),
    "ARRES_MM": (
        {
            "spectrum": RNG.random((1, 4, 5)),
            "images": RNG.random((1, 4, 5, 6, 7)),
            "kx": np.arange(4.0),
            "ky": np.arange(5.0),
        },
        "ARRES Constant Energy Surface",
        "ScopeFoundryH5.qspleem_arres_mm.diffraction",
        2,
    ),
    "deposition_monitor": (
        {
            "roi_times": np.arange(20.0),
            "roi_intensity": RNG.random((20, 3)),
            "images": RNG.random((4, 12, 14)),
            "sample_temperature": np.arange(20.0),
        },
        "Deposition Monitor",
        "ScopeFoundryH5.qspleem_deposition_monitor.time_series",
        3,
    ),
}


@pytest.mark.parametrize("measurement", sorted(LEEM))
def test_electron_microscopes_measurements_have_the_fields_names(tmp_path: Path, measurement: str) -> None:
    """Diffraction and real space are told apart by the frames; data_type is the product as Crucible calls it."""
    data, name, product, pictures = LEEM[measurement]
    found = extracted(FakeFile(measurement=measurement, data=data).write(tmp_path / "a.h5"))
    assert (found.attributes["measurement"], found.attributes["data_type"]) == (name, product)
    assert len(found.thumbnails) == pictures


def test_positions_of_a_scan_bring_their_samples(tmp_path: Path) -> None:
    """Trays and films are samples with their ids where these are valid; each position's attributes are metadata."""
    path = tray(tmp_path / "a.h5", {"film 0": MFID, "film 1": ""})
    found = extracted(path)
    assert list(found.samples) == [Sample("tray A"), Sample("film 0", MFID), Sample("film 1")]
    assert [place["position"] for place in found.scientific_metadata["positions"]] == ["S00", "S01"]
    assert found.scientific_metadata["positions"][0]["x_center"] == 1.5
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["absorbance of 2 positions"]
    first, second = found.children
    assert (first.key, first.attributes["dataset_name"]) == ("S00", "Child Nirvana scan for film 0")
    assert (first.samples, second.samples) == ([Sample("film 0", MFID)], [Sample("film 1")])
    assert first.scientific_metadata["x_center"] == 1.5
    assert [thumbnail.caption for thumbnail in second.thumbnails] == ["Absorbance Spectrum (S01)"]


def test_a_spec_run_has_a_child_for_each_film_with_both_methods(tmp_path: Path) -> None:
    """Positions lie below each method; the children have Crucible's names and keys; a blank or empty place is no sample."""
    path = FakeFile(measurement="pollux_multipos_spec_run", data={}).write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        for method in ("pl", "uvvis"):
            held = file.create_group(f"measurement/pollux_multipos_spec_run/{method}")
            held["wavelengths"], held["dark_intensities"] = WLS, np.full(64, 10.0)
            for place, sample in (("S01", "film"), ("S02", "blank"), ("S03", "")):
                one = held.create_group(f"positions/{place}")
                one["raw_intensities"] = np.full((3, 64), 60.0)
                one["x_positions"] = np.arange(3.0)
                one.attrs.update(sample_name=sample, sample_uuid="", integration_time=0.5)
                if method == "uvvis":
                    one["blank_intensities"] = np.full(64, 510.0)
    found = extracted(path)
    (child,) = found.children
    assert (child.key, child.attributes) == (
        "S01",
        {"dataset_name": "Nirvana SpecRun for film", "measurement": "pollux_multipos_spec_run_tf"},
    )
    assert child.scientific_metadata == {
        "position": "S01", "sample_name": "film", "sample_uuid": "", "uvvis_integration_time": 0.5,
        "x_positions": [0.0, 1.0, 2.0], "pl_integration_time": 0.5, "pl_x_positions": [0.0, 1.0, 2.0],
    }  # fmt: skip
    assert [thumbnail.caption for thumbnail in child.thumbnails] == ["UVVis Absorbance (S01)", "PL Intensity (S01)"]
    assert [one.caption for one in found.thumbnails] == [
        "absorbance of 3 positions",
        "PL intensity (counts) of 3 positions",
    ]


def test_a_spin_run_is_known_by_its_run_and_has_a_child_for_each_film(tmp_path: Path) -> None:
    """Crucible's ingestor takes the run's id for the dataset's; films are children, trays and films are samples."""
    run = "0saky41g01r01a1ethjr64nvpm"
    path = FakeFile(measurement="spin_run", own=Component({"run_id": run})).write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        one = file.create_group("measurement/spin_run/samples/TF000")
        one.attrs.update(batch_id="", batch_name="tray", sample_id=MFID, sample_name="film", spin_speed=3000.0)
    found = extracted(path)
    assert (found.attributes["unique_id"], found.attributes["data_type"]) == (run, "Thin Film Deposition Run")
    (child,) = found.children
    assert child.attributes == {"dataset_name": f"Spin Run for film - {run[:13]}", "measurement": "spin_run_tf"}
    assert (child.samples, child.scientific_metadata["spin_speed"]) == ([Sample("film", MFID)], 3000.0)
    assert list(found.samples) == [Sample("tray"), Sample("film", MFID)]


def test_a_batch_and_a_sample_id_are_samples_with_ids(tmp_path: Path) -> None:
    """SpinBot writes its batch as prefix, name and id; an app's sample may be an id itself."""
    hardware = {"mf_crucible_spinbot": Component({"batch_id": f"B_films_{MFID}", "session_name": "night"})}
    found = extracted(FakeFile(app=Component({"sample": MFID}), hardware=hardware).write(tmp_path / "a.h5"))
    assert list(found.samples) == [Sample(MFID, MFID), Sample("films", MFID)]


def test_spinbots_folders_of_a_campaign_are_keywords(tmp_path: Path) -> None:
    """As in Crucible's ingestor, and of SpinBot's files alone."""
    folder = tmp_path / "Campaign 3" / "x" / "batch_02"
    folder.mkdir(parents=True)
    for component, keywords in (("mf_crucible_spinbot", ["spin", "Campaign 3", "batch_02"]), ("mf_crucible", ["spin"])):
        path = FakeFile(hardware={component: Component({"tags": "spin"})}).write(folder / f"{component}.h5")
        assert list(extracted(path).keywords) == keywords


def test_axes_alone_are_no_picture(tmp_path: Path) -> None:
    """A scan that was stopped before its first spectrum shows nothing, and says so, instead of its wavelengths."""
    data = {"spectra": np.zeros((0, 64)), "wls": WLS}
    found = extracted(FakeFile(measurement="spec_run", data=data).write(tmp_path / "a.h5"))
    assert (list(found.thumbnails), list(found.warnings)) == ([], ["Nothing was recorded in spectra."])


def test_a_ramps_frame_is_the_brightest_behind_the_first_minimum(tmp_path: Path) -> None:
    """Behind the work function the intensity falls, rises and falls to its least at the end: the frame is that of the rise."""
    volts = np.arange(60.0)
    mean = 10 - volts / 10 + 2 * np.exp(-((volts - 40) ** 2) / 30)
    data = {
        "0000_sv_array": volts,
        "000_imavg_array": mean,
        "0000_wfs_array": [5.0],
        "000_im_array": np.ones((60, 8, 8)),
    }
    found = extracted(FakeFile(measurement="sv_ramp", data=data).write(tmp_path / "a.h5"))
    frame = float(found.thumbnails[-1].caption.split()[2])
    assert 37 <= frame <= 42


@pytest.mark.parametrize("text", ["enter your email", "Enter comments here", "enter a session name", "enter keywords"])
def test_what_a_form_asks_for_is_no_answer(text: str) -> None:
    """The words that stand in a form before anybody typed are nobody's; a sentence that begins alike is somebody's."""
    assert (meant(text), meant("entered the sample at noon")) == ("", "entered the sample at noon")


@pytest.mark.parametrize("name", ["orcid", "orcid1", "orcid3"])
def test_an_orcid_of_zeros_and_a_proposal_of_zeros_are_placeholders(name: str) -> None:
    """The component begins with these; several of its versions count their ORCIDs."""
    assert (
        typed({"mf_crucible": {name: "0000-0000-0000-0000", "proposal": "MFP0000", "email": "nobody@lbl.gov"}})
        == Person()
    )
    assert typed({"mf_crucible": {name: "0000-0002-1825-0097"}}).owner_orcid == "0000-0002-1825-0097"


def test_settings_that_are_json_text_are_read(tmp_path: Path) -> None:
    """What HDF5 cannot hold ScopeFoundry stores as JSON; a broken one stays text, a deep one too."""
    settings = {"chans": '["SE2", "InLens"]', "table": '{"a": 1.5}', "broken": "[1, 2", "deep": "[" * 900 + "]" * 900}
    found = extracted(FakeFile(own=Component(settings)).write(tmp_path / "a.h5"))
    told = found.scientific_metadata["measurement"]["sine_wave_plot"]["settings"]
    assert (told["chans"], told["table"], told["broken"]) == (["SE2", "InLens"], {"a": 1.5}, "[1, 2")
    assert isinstance(told["deep"], str)


def test_settings_that_contradict_the_data_are_named(tmp_path: Path) -> None:
    """Settings were written before the measurement: where the data say otherwise, both are told."""
    own = Component({"Nh": 21, "h0": 0.0, "h1": 30.0})
    data = {"count_rate_map": RNG.random((1, 5, 11)), "h_array": np.arange(11.0), "v_array": np.arange(5.0)}
    warnings = extracted(FakeFile(measurement="apd_2d_scan", own=own, data=data).write(tmp_path / "a.h5")).warnings
    assert any(
        "Nh is 21, h_array has 11" in warning and "h1 is 30, h_array ends at 10" in warning for warning in warnings
    )
    generator = {"function_generator": Component({"amplitude": 1.0})}
    path = FakeFile(hardware=generator, data={"buffer": 10 * np.sin(np.arange(50.0))}).write(tmp_path / "b.h5")
    assert any(
        "amplitude of function_generator is 1, the data reach" in warning for warning in extracted(path).warnings
    )


def test_an_aborted_scan_says_how_far_it_came(tmp_path: Path) -> None:
    """Arrays have their final size from the beginning; rows, frames and values that stay empty are counted."""
    image, cube = np.zeros((1, 40, 50)), np.zeros((20, 30, 40), dtype=np.uint16)
    image[0, :12], cube[:5] = 1.0, 7
    data = {"count_rate_map": image, "cube_map": cube}
    warnings = extracted(FakeFile(measurement="apd_2d_scan", data=data).write(tmp_path / "a.h5")).warnings
    assert any(
        "count_rate_map (12 of 40 rows)" in warning and "cube_map (5 of 20 frames)" in warning for warning in warnings
    )


def test_a_sweep_that_was_not_closed_says_what_is_missing(tmp_path: Path) -> None:
    """Positions and means are written at the end only; the raw data are drawn."""
    data = {"range_1": np.arange(6.0), "range_2": np.arange(4.0), "daq_power_raw": RNG.random((6, 4, 3))}
    own = Component({"actuator_1": "hw/stage/x", "actuator_2": "hw/stage/y", "scan_mode": "nested"})
    found = extracted(FakeFile(measurement="sweep_2d", own=own, data=data).write(tmp_path / "a.h5"))
    assert any("positions, read_positions, indices are missing" in warning for warning in found.warnings)
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["daq_power"]
    short = {**data, "positions": np.zeros((9, 2)), "read_positions": np.zeros((9, 2)), "indices": np.zeros((9, 2))}
    found = extracted(FakeFile(measurement="sweep_2d", own=own, data=short).write(tmp_path / "b.h5"))
    assert any("recorded 9 of 24 positions" in warning for warning in found.warnings)


def test_a_file_without_its_version_is_known_by_its_groups(tmp_path: Path) -> None:
    """Copies and old files lack the root's version; app, measurement and a time are enough."""
    path = FakeFile(measurement="hyperspec_picam_mcl_laseroff").write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file.attrs["ScopeFoundry_version"], file["hardware"]
        del (
            file["app"].attrs["ScopeFoundry_type"],
            file["measurement/hyperspec_picam_mcl_laseroff"].attrs["ScopeFoundry_type"],
        )
    assert extracted(path).attributes["measurement"] == "hyperspec_picam_mcl_laseroff"


def test_a_picture_that_names_another_dataset_is_told(tmp_path: Path) -> None:
    """ScopeFoundry writes the dataset's id into the pictures that it saves; the name alone may deceive."""
    path = FakeFile().write(tmp_path / "a.h5")
    for name, text in (("own", MFID), ("other", MFID[:-2] + "00"), ("none", "no id")):
        told = PngInfo()
        told.add_text("Description", text)
        Pillow.new("L", (8, 8)).save(tmp_path / f"{name}.png", pnginfo=told)
    warnings = extracted(path, *(tmp_path / f"{name}.png" for name in ("own", "other", "none"))).warnings
    assert any(
        "other.png" in warning and "own.png" not in warning and "none.png" not in warning for warning in warnings
    )


def test_pictures_beside_the_file_are_thumbnails_too(tmp_path: Path) -> None:
    """Cameras save `X.h5.JPG` next to the file; a broken one is left out."""
    path = FakeFile(measurement="canon_camera_capture", data={}).write(tmp_path / "a.h5")
    photo, broken = tmp_path / "a.h5.JPG", tmp_path / "a.h5.png"
    Pillow.new("RGB", (600, 400), "red").save(photo, "JPEG")
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno more")
    found = extracted(path, photo, broken, tmp_path / "gone.png")
    assert [thumbnail.caption for thumbnail in found.thumbnails] == ["a.h5.JPG"]


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    """A measurement group that lies in another file is named, its values are not read."""
    FakeFile(measurement="x").write(tmp_path / "other.h5")
    path = FakeFile(data={}).write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["measurement/sine_wave_plot/buffer"] = h5py.ExternalLink("other.h5", "/measurement/x/buffer")
    found = extracted(path)
    assert not found.thumbnails
    assert any("other.h5" in warning for warning in found.warnings)


def test_a_truncated_file_is_left_to_plain_hdf5(tmp_path: Path) -> None:
    """What does not open cannot be recognised as ScopeFoundry's; the HDF5 ingestor says what is wrong."""
    path = tmp_path / "a.h5"
    shutil.copy(CORPUS / "made_2.3.0/261120_151439_sine_wave_plot.h5", path)
    path.write_bytes(path.read_bytes()[:96])
    assert ScopeFoundry().claim(Candidate(path)) is None
    with pytest.raises(UnreadableError, match="incomplete"):
        HDF5().extract(Candidate(path))
