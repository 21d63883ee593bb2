from __future__ import annotations

import json
import re
from random import Random
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
import pytest

from ingestors.api import Candidate, Ingestor, jsonable
from ingestors.hdf5 import HDF5
from ingestors.scopefoundry import ScopeFoundry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_WORD: Final = re.compile(r"\S+")
GROUPS: Final = tuple(  # one word after the other
    _WORD.findall("""
    entry entry1 data sample instrument detector beam user measurement hardware app gui settings units exchange process
    Data Image Experiments axis-0 axis-1 metadata General METADATA INDEX .reduced DataSetInfo Global Channels Height ImageDims
    DataSet positions S00 S01 mf_crucible sync_raster_daq stage sv_ramp sweep_2d hyperspec_cl picam_readout ARRES_EK
    deposition_monitor spec_run pollux_oospec_multipos_line_scan entry_1 data_1 instrument_1 source_1 detectorSpecific cube
    Measurement_000 Channel_000 Tags t0 c0 git spec_map
""")
)
DATASETS: Final = tuple(  # one word after the other
    _WORD.findall("""
    counts data I Q Idev x y energy two_theta title start_time definition name signal value dim0 dim1 dim2 dim3 spec_map wls
    spectrum spectra raman_shifts h_array v_array count_rate_map adc_map ctr_map live_img_map image images buffer time_array
    0000_sv_array 000_imavg_array 000_im_array 000_asym_array eV uv kx ky roi_times roi_intensity range_1 range_2 daq_power_raw
    positions indices pm_powers integrated_spectra wavelengths raw_intensities dark_intensities blank_intensities pl_spectra
    pl_wls photo V theta data_white data_dark implements cxi_version Version Metadata energy distance Raw_Data
    Position_Indices Position_Values Spectroscopic_Indices Spectroscopic_Values Channels creationDate proposalNumber dark_indices
    time_histogram chan_data ke table dark_indices incident_wavelength data_collection_date count_map element
""")
)
ATTRIBUTES: Final = tuple(  # one word after the other
    _WORD.findall("""
    NX_class canSAS_class signal axes I_axes default units unit long_name interpretation axis primary emd_group_type name
    ScopeFoundry_version ScopeFoundry_type time_id unique_id file_format authoring_program IGORWaveScaling IGORWaveUnits
    IGORWaveNote MATLAB_class MATLAB_empty _NCProperties tuid run_timestamp scale offset size navigate pandas_type columns
    labels quantity Position_Indices Spectroscopic_Indices session_name orcid proposal tags sample sample_name sample_uuid Nh h0
    n_frames amplitude actuator_1 scan_mode progress run_state date time timestamp comment log_name creation_time Unit ExtMin0
    ExtMax0 X RecordingDate element_size_um E DimScaling DimUnits DataUnits technique instrument two_theta_indices batch_id
""")
)
TEXTS: Final = (
    "", "NXentry", "NXdata", "NXsample", "NXinstrument", "NXdetector", "SASdata", "Measurement", "App", "counts", "x:y", "energy",
    "HyperSpy", "py4DSTEM", "char", "cell", "double", "frame", "spectrum", "2020-01-02T03:04:05Z", "13/02/2021", "2021-99-99",
    "1e400", "nan", "[1, 2", '{"a": {"b": [1, null]}}', "[]", "(optional)", "[u_m]", "Velox", "exchange:measurement", "0000-0002-1825-0097",
    "NXcanSAS", "NXmx", "ascan mu 0 1 10", "µm", "C:\\Users\\x\\y", "..", "/", "."
)  # fmt: skip


def _array(chance: Random, most: int = 50_000) -> Any:
    """Numbers of any type and shape, also none, one, and not finite ones."""
    sides = [chance.choice((0, 1, 2, 3, 4, 7, 40)) for _ in range(chance.choice((0, 1, 1, 2, 2, 3, 4, 5)))]
    while int(np.prod(sides, dtype=np.int64)) > most:
        sides.pop()
    kind = chance.choice(("f8", "f4", "u1", "u2", "i8", "?", "c8", "f8", "u8"))
    values = np.asarray(np.random.default_rng(chance.randrange(1000)).random(sides) * chance.choice((0, 1, 1e3, 1e300)))
    with np.errstate(all="ignore"):
        found = values.astype(kind)
    if kind in {"f8", "f4"} and found.size and chance.random() < 0.2:
        found.flat[0] = chance.choice((np.nan, np.inf, -np.inf))
    return found


def _value(chance: Random) -> Any:
    """What an attribute or a small dataset may hold."""
    return chance.choice(
        (
            lambda: chance.choice(TEXTS),
            lambda: np.bytes_(chance.choice(TEXTS).encode()),
            lambda: [chance.choice(TEXTS) for _ in range(chance.choice((1, 2, 3)))],
            lambda: chance.choice((0, 1, -1, 2**63 - 1, 1.5e9, 1e308, float("nan"), True)),
            lambda: _array(chance, 300),
            lambda: h5py.Empty("f8"),
            lambda: np.array([(1, 2.0)], dtype=[("name", "i4"), ("b", "f8")]),
        )
    )()


def _fill(chance: Random, group: h5py.Group, depth: int) -> None:
    for _ in range(chance.randrange(6)):
        group.attrs[chance.choice(ATTRIBUTES)] = _value(chance)
    for _ in range(chance.randrange(7)):
        name = chance.choice(DATASETS)
        if name in group:
            continue
        value = _array(chance) if chance.random() < 0.7 else _value(chance)
        made = (
            group.create_dataset(name, data=value)
            if not isinstance(value, h5py.Empty)
            else group.create_dataset(name, dtype="f8")
        )
        for _ in range(chance.randrange(3)):
            made.attrs[chance.choice(ATTRIBUTES)] = _value(chance)
    for _ in range(chance.randrange(5) if depth < 4 else 0):
        name = chance.choice(GROUPS)
        if name not in group:
            _fill(chance, group.create_group(name), depth + 1)


def _readers(candidate: Candidate) -> Iterator[Ingestor]:
    return (one for one in (HDF5(), ScopeFoundry()) if one.claim(candidate) is not None)


def _read(path: Path, seed: int) -> None:
    """Make one file and let every reader that claims it read it."""
    chance = Random(seed)
    with h5py.File(path, "w") as file:
        if chance.random() < 0.5:
            file.attrs["ScopeFoundry_version"] = chance.choice((100, 101, 210, "x", 2.5))
            for name in ("app", "hardware", "measurement"):
                _fill(chance, file.create_group(name), 1)
        _fill(chance, file["/"], 0)
    candidate = Candidate(path)
    for reader in _readers(candidate):
        found = reader.extract(candidate)
        told = jsonable([found.scientific_metadata, dict(found.attributes), list(found.keywords)])
        json.dumps(told, allow_nan=False)
        assert all(isinstance(value, str) and value for value in found.attributes.values()), seed


@pytest.mark.parametrize("seed", range(12))
def test_known_names_with_any_contents_never_raise(tmp_path: Path, seed: int) -> None:
    """The names that the readers look for, with values, types and shapes that nobody writes: always an extraction that is JSON."""
    _read(tmp_path / "a.h5", seed)


@pytest.mark.slow
@pytest.mark.timeout(300)  # some ten seconds of a processor that may be busy
@pytest.mark.parametrize("first", range(1000, 1400, 20))
def test_hundreds_of_odd_files_never_raise(tmp_path: Path, first: int) -> None:
    """The same, for longer; in parts, so that a busy computer has time for each."""
    for seed in range(first, first + 20):
        _read(tmp_path / "a.h5", seed)
