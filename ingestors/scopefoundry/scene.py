"""What a view gets to see of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ingestors.hdf5 import reading, shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import h5py

X_NAMES: Final = ("wls", "wavelengths", "wavelength", "raman_shifts", "wave_numbers", "eV", "energies", "energy")


@dataclass(frozen=True)
class Scene:
    """A measurement's group, its name and settings, and the settings of data acquisition hardware by component."""

    group: h5py.Group
    name: str
    settings: Mapping[str, Any]
    units: Mapping[str, str]
    hardware: Mapping[str, Mapping[str, Any]]

    def data(self, *names: str) -> h5py.Dataset | None:
        """The first of the named datasets that holds numbers; an EMD group stands for its `data`."""
        for name in names:
            found = reading.follow(self.group, name)
            if found is not None and not hasattr(found, "shape"):
                found = reading.child_data(found, "data")
            if found is not None and reading.numeric(found):
                return found
        return None

    def x_axis(self, length: int) -> h5py.Dataset | None:
        """The spectral axis of the given length."""
        for name in X_NAMES:
            found = self.data(name)
            if found is not None and found.shape == (length,):
                return found
        return None

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
        found = (self.units.get(f"{axis}0") or self.units.get(f"d{axis}") or "" for axis in ("h", "v"))
        h, v = (shapes.label(name, unit) for name, unit in zip(names, found, strict=True))
        return h, v
