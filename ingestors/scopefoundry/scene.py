"""What a view gets to see of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestors.hdf5 import reading, shapes
from ingestors.hdf5.describing import own_name, unit_of
from ingestors.scopefoundry import layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import h5py
    from numpy.typing import NDArray

X_NAMES: Final = (
    "wls", "wavelengths", "wavelength", "raman_shifts", "wave_numbers", "eV", "ke", "energies", "energy", "time_array",
    "psd_freq", "frequencies", "freqs", "frequency", "kx", "pixels", "raw_pixels",
)  # fmt: skip
_MEANT: Final = {
    "wls": "wavelength (nm)",
    "wavelengths": "wavelength (nm)",
    "wavelength": "wavelength (nm)",
    "raman_shifts": "Raman shift (1/cm)",
    "wave_numbers": "wave number (1/cm)",
    "ke": "kinetic energy (eV)",
    "eV": "energy (eV)",
    "psd_freq": "frequency (Hz)",
}
"""What ScopeFoundry's own viewers write at an axis whose dataset has no unit."""


@dataclass(frozen=True)
class Scene:
    """A measurement's group, its name and settings, and the settings and their units of hardware by component."""

    group: h5py.Group
    name: str
    settings: Mapping[str, Any]
    units: Mapping[str, str]
    hardware: Mapping[str, Mapping[str, Any]]
    hardware_units: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, file: h5py.File, name: str, group: h5py.Group) -> Scene:
        """The scene of one of a file's measurements."""
        components = layout.hardware(file)
        return cls(
            group,
            name,
            layout.settings(group),
            layout.setting_units(group),
            {name: layout.settings(one) for name, one in components.items()},
            {name: layout.setting_units(one) for name, one in components.items()},
        )

    def setting_unit(self, path: str) -> str:
        """The unit of a hardware's setting by its path (`hw/stage/x_position`), or by its name if all agree that have one."""
        parts = path.split("/")
        if len(parts) > 1:
            return self.hardware_units.get(parts[-2], {}).get(parts[-1], "")
        found = {units[path] for units in self.hardware_units.values() if path in units}
        return found.pop() if len(found) == 1 else ""

    def data(self, *names: str) -> h5py.Dataset | None:
        """The first of the named datasets that holds numbers; an EMD group stands for its `data`."""
        for name in names:
            found = reading.follow(self.group, name)
            if found is not None and not hasattr(found, "shape"):
                found = reading.child_data(found, "data")
            if found is not None and reading.numeric(found):
                return found
        return None

    def x_axis(self, length: int, *first: str) -> h5py.Dataset | None:
        """The spectral axis of the given length; some names may go first."""
        for name in (*first, *X_NAMES):
            found = self.data(name)
            if found is not None and found.ndim in {1, 2} and found.shape[-1] == length:
                return found
        return None

    def x_label(self, axis: h5py.Dataset | None) -> str:
        """The label of a spectral axis: its own unit, else what ScopeFoundry's viewers take for granted."""
        if axis is None:
            return "channel"
        name, unit = own_name(axis), unit_of(axis)
        return shapes.label(name, unit) if unit else _MEANT.get(name) or _MEANT.get(name.rsplit("_", 1)[-1], name)

    def across(self, length: int, *first: str) -> tuple[NDArray[np.float64], str]:
        """Positions of the channels of a spectrum, and their label; counted where there is no axis."""
        axis = self.x_axis(length, *first)
        values = None if axis is None else self.along(axis)
        return (np.arange(length, dtype=np.float64), "channel") if values is None else (values, self.x_label(axis))

    def along(self, axis: h5py.Dataset) -> NDArray[np.float64] | None:
        """The values of an axis, of the first row where each row of a detector has its own."""
        return _numbers(reading.read(axis, axis.shape[-1:], (0,) * (axis.ndim - 1)))

    def values(
        self, name: str, most: Sequence[int] | None = None, fixed: tuple[int, ...] = ()
    ) -> NDArray[np.float64] | None:
        """The numbers of a dataset (thinned to `most` along its axes), None if there are none."""
        data = self.data(name)
        if data is None or data.ndim < len(fixed):
            return None
        return _numbers(reading.read(data, most if most is not None else data.shape[len(fixed) :], fixed))

    def extent(self, rows: int, columns: int) -> tuple[float, float, float, float] | None:
        """Edges of a scan's map (left, right, bottom, top) from its position arrays; None if they do not fit."""
        across, down = self.data("h_array"), self.data("v_array")
        if across is None or down is None or across.shape != (columns,) or down.shape != (rows,):
            return None
        h, v = reading.read(across, [4000]), reading.read(down, [4000])
        found = (shapes.edges(h) if h is not None else None, shapes.edges(v) if v is not None else None)
        return (*found[0], *found[1]) if found[0] is not None and found[1] is not None else None

    def scan_labels(self) -> tuple[str, str]:
        """Labels of a scan's two directions: what moved, and in which unit."""
        names = (str(self.settings.get(f"{axis}_actuator") or axis) for axis in ("h", "v"))
        own = (self.units.get(f"{axis}0") or self.units.get(f"d{axis}") or "" for axis in ("h", "v"))
        h, v = (shapes.label(name, unit or self.setting_unit(name)) for name, unit in zip(names, own, strict=True))
        return h, v


def _numbers(values: NDArray[np.generic] | None) -> NDArray[np.float64] | None:
    """Real numbers; complex ones as their magnitude."""
    if values is None:
        return None
    return np.asarray(np.abs(values) if np.iscomplexobj(values) else values, dtype=np.float64)
