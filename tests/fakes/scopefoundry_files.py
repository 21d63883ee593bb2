"""Makes files of ScopeFoundry's layouts with h5py alone, filled in the ways that the corpus does not show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MFID = "0tr0cfhse5zsh000anr9s136kr"
FILM = "0saky41g01r01a1ethjr64nvpm"
"""The id of a sample; MFID is that of the dataset."""


@dataclass(frozen=True)
class Component:
    """Settings and their units, of an app, a hardware component or a measurement."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FakeFile:
    """What to write; data by path below the measurement's group, attributes of that group too."""

    measurement: str = "sine_wave_plot"
    version: int = 210
    time_id: float = 1795187683
    unique_id: str | None = MFID
    app: Component = field(default_factory=lambda: Component({"sample": "", "save_dir": "/data"}))
    hardware: Mapping[str, Component] = field(default_factory=dict)
    own: Component = field(default_factory=Component)
    data: Mapping[str, Any] = field(default_factory=lambda: {"buffer": np.arange(20.0)})
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        with h5py.File(path, "w") as file:
            file.attrs["ScopeFoundry_version"] = self.version
            file.attrs["time_id"] = self.time_id
            if self.unique_id is not None:
                file.attrs["unique_id"] = self.unique_id
            app = file.create_group("gui" if self.version == 100 else "app")
            app.attrs["name"] = "fake_microscope"
            app.attrs["ScopeFoundry_type"] = "App"
            self._settings(app, self.app)
            hardware = file.create_group("hardware")
            hardware.attrs["ScopeFoundry_type"] = "HardwareList"
            for name, component in self.hardware.items():
                self._settings(hardware.create_group(name), component)
            group = file.create_group(f"measurement/{self.measurement}")
            group.attrs["ScopeFoundry_type"] = "Measurement"
            self._settings(group, self.own)
            for name, value in self.attributes.items():
                group.attrs[name] = value
            for name, value in self.data.items():
                group[name] = value
        return path

    def _settings(self, group: h5py.Group, component: Component) -> None:
        held = group.create_group("settings")
        for name, value in component.settings.items():
            held.attrs[name] = value
        if self.version == 100:
            for name, unit in component.units.items():
                held.attrs[f"{name}_unit"] = unit
        else:
            units = held.create_group("units")
            for name, unit in component.units.items():
                units.attrs[name] = unit


def tray(path: Path, films: Mapping[str, str]) -> Path:
    """Write a scan of many positions: films by name with their ids (empty: none), one at each position from S00 on."""
    measurement = "pollux_oospec_multipos_line_scan"
    FakeFile(measurement=measurement, data={"wavelengths": np.linspace(350, 850, 64)}).write(path)
    with h5py.File(path, "a") as file:
        for number, (name, own_id) in enumerate(films.items()):
            one = file.create_group(f"measurement/{measurement}/positions/S{number:02d}")
            one["raw_intensities"] = np.full((3, 64), 60.0)
            one["dark_intensities"], one["blank_intensities"] = np.full(64, 10.0), np.full(64, 510.0)
            one.attrs.update(sample_name=name, sample_uuid=own_id, tray_name="tray A", tray_uuid="", x_center=1.5)
    return path
