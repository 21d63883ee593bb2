"""A simulated instrument that writes the way real programs do: slowly, flushing, renaming, appending, leaving things open.

`python -m daemon.demo.instrument FOLDER`. Every file is made up; the HDF5 layout is that of ScopeFoundry 2.2
(`ScopeFoundry_version` 210: settings as attributes, their units in a group `units` beside them).
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import h5py
import numpy as np
from PIL import Image

from daemon.mfid import new_mfid

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_SECONDS: Final = 0.15
POINT_SECONDS: Final = 0.4

Settings = dict[str, tuple[Any, str]]
"""Name -> value and unit."""


def main() -> None:
    """Measure a few things, then end."""
    folder = Path(sys.argv[1])
    rng = np.random.default_rng(20260101)
    say("hip-microscope: spectrum of a silicon wafer")
    spectrum(folder / "raman", rng)
    say("hip-microscope: Raman map, line by line; the file is open all the time")
    raman_map(folder / "raman", rng)
    say("diffractometer: three patterns, written to a .tmp file and renamed")
    patterns(folder / "xrd" / "LaB6 calibration", rng)
    say("cryostat: a log that grows by one row at a time")
    cooling_curve(folder / "transport", rng)
    say("the instrument is done")


def say(text: str) -> None:
    """What the instrument does now."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def spectrum(folder: Path, rng: np.random.Generator) -> None:
    """One Raman spectrum: ScopeFoundry's `picam_readout`."""
    shifts = np.linspace(100.0, 1200.0, 1340)
    counts = rng.poisson(200 + 9000 * lorentzian(shifts, 520.7, 4.0) + 300 * lorentzian(shifts, 960.0, 40.0))
    with scopefoundry_file(folder, "picam_readout", {"n_frames": (1, "")}) as group:
        group["spectrum"] = counts.astype(float)
        group["raman_shifts"] = shifts
        group["wls"] = 1e7 / (1e7 / 532.0 - shifts)


def raman_map(folder: Path, rng: np.random.Generator) -> None:
    """A map of 16 x 24 spectra: the dataset has its final shape from the start and is filled line by line."""
    rows, columns, points = 16, 24, 256
    shifts = np.linspace(300.0, 500.0, points)
    settings: Settings = {"h0": (0.0, "um"), "h1": (12.0, "um"), "v0": (0.0, "um"), "v1": (8.0, "um")}
    with scopefoundry_file(folder, "hyperspec_picam_mcl", settings) as group:
        cube = group.create_dataset("spec_map", shape=(1, rows, columns, points), dtype=float)
        group["raman_shifts"] = shifts
        group["h_array"] = np.linspace(0.0, 12.0, columns)
        group["v_array"] = np.linspace(0.0, 8.0, rows)
        y, x = np.mgrid[0:rows, 0:columns]
        flake = np.clip(1.2 - np.hypot((x - 13) / 9, (y - 7) / 6), 0, 1)[..., None]
        for row in range(rows):
            line = 80 + flake[row] * (2400 * lorentzian(shifts, 384, 3) + 3100 * lorentzian(shifts, 405, 4))
            cube[0, row] = rng.poisson(line)
            group.file.flush()
            time.sleep(LINE_SECONDS)
        name = Path(group.file.filename)
    picture = io.BytesIO()
    Image.fromarray((255 * flake[..., 0]).astype("uint8")).resize((480, 320)).save(picture, "JPEG")
    name.with_name(f"{name.name}.JPG").write_bytes(picture.getvalue())


def patterns(folder: Path, rng: np.random.Generator) -> None:
    """Powder patterns of LaB6 (Pm-3m, a = 4.1569 angstrom) at 0.7749 angstrom, with a header as pyFAI writes it."""
    folder.mkdir(parents=True)
    angles = np.linspace(8.0, 40.0, 2200)
    lines = [(h, k, l) for h in range(4) for k in range(h + 1) for l in range(k + 1) if h]  # noqa: E741 Miller indices
    for number in range(1, 4):
        counts = np.full_like(angles, 40.0 + 5 * number)
        for h, k, l in lines:  # noqa: E741 Miller indices
            d = 4.1569 / np.sqrt(h * h + k * k + l * l)
            counts += 3000 / (h + k + l) * lorentzian(angles, 2 * np.degrees(np.arcsin(0.7749 / 2 / d)), 0.05)
        final = folder / f"LaB6_{number:03}.xy"
        unfinished = final.with_name(final.name + ".tmp")
        with unfinished.open("w", encoding="ascii") as stream:
            stream.write(
                "# == pyFAI calibration ==\n# Distance Sample to Detector: 0.25 m\n# Wavelength: 7.749e-11 m\n"
            )
            stream.write("# 2th_deg I\n")
            for index, (angle, count) in enumerate(zip(angles, rng.poisson(counts), strict=True)):
                stream.write(f"{angle:.5f} {float(count):.3f}\n")
                if index % 500 == 0:
                    stream.flush()
                    time.sleep(LINE_SECONDS / 2)
        unfinished.rename(final)


def cooling_curve(folder: Path, rng: np.random.Generator) -> None:
    """A resistance measurement: every point opens the file, appends a row and closes it again."""
    folder.mkdir(parents=True)
    path = folder / "cooldown.dat"
    path.write_text("# Sample: NbSe2 bar 7\n# Current: 10 uA\nTime (s)\tTemperature (K)\tResistance (Ohm)\n", "ascii")
    for step in range(10):
        kelvin = 12.0 - step
        ohm = (0.02 if kelvin < 7.2 else 3.1 + 0.04 * kelvin) + rng.normal(0, 0.01)  # noqa: PLR2004 Tc of NbSe2 in kelvin
        with path.open("a", encoding="ascii") as stream:
            stream.write(f"{step * 10.0:.1f}\t{kelvin:.3f}\t{ohm:.5f}\n")
        time.sleep(POINT_SECONDS)


def lorentzian(x: np.ndarray, center: float, width: float) -> np.ndarray:
    """A peak of height 1; `width` is the half width at half maximum, in the units of x."""
    return np.asarray(1.0 / (1.0 + ((x - center) / width) ** 2))


class scopefoundry_file:  # noqa: N801 used as a function
    """A measurement file as ScopeFoundry opens it: everything but the data is written first. Gives the measurement's group."""

    def __init__(self, folder: Path, measurement: str, settings: Settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time_ns()
        moment = dt.datetime.fromtimestamp(now / 1e9).astimezone()
        self._file = h5py.File(folder / f"{moment:%y%m%d_%H%M%S}_{measurement}.h5", "a")
        attributes = {"ScopeFoundry_version": 210, "time_id": now // 10**9, "unique_id": new_mfid(now)}
        self._file.attrs.update(attributes)
        app = settings_group(self._file, "app", "hip_microscope", {"sample": ("WSe2 flake 3", "")}, "App")
        app.file.create_group("hardware").attrs["ScopeFoundry_type"] = "HardwareList"
        login = {
            "orcid": "0000-0002-1825-0097",
            "proposal": "MFP01234 (Demo)",
            "session_name": "Demo session",
            "tags": "demo",
        }
        hardware: Mapping[str, Settings] = {
            "picam": {"ExposureTime": (100.0, "ms"), "SensorTemperature": (-75.0, "°C")},
            "mcl_xyz_stage": {"x_position": (6.0, "um"), "y_position": (4.0, "um")},
            "mf_crucible": {key: (value, "") for key, value in login.items()},
        }
        for name, values in hardware.items():
            settings_group(self._file, f"hardware/{name}", name, values, "Hardware")
        values = {**settings, "run_state": ("run_thread_run", ""), "progress": (0.0, "%")}
        self.group = settings_group(self._file, f"measurement/{measurement}", measurement, values, "Measurement")

    def __enter__(self) -> h5py.Group:
        return self.group

    def __exit__(self, *_: object) -> None:
        self._file.close()


def settings_group(file: h5py.File, path: str, name: str, values: Settings, kind: str) -> h5py.Group:
    """A group with its `settings` and `units`, as ScopeFoundry's h5_io lays them out."""
    group = file.create_group(path)
    group.attrs.update({"name": name, "ScopeFoundry_type": kind})
    settings = group.create_group("settings")
    units = settings.create_group("units")
    for key, (value, unit) in values.items():
        settings.attrs[key] = value
        if unit:
            units.attrs[key] = unit
    return group


if __name__ == "__main__":
    main()
