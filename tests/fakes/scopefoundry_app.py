"""A microscope on the real ScopeFoundry 2.x: run with its own Python as `scopefoundry_app.py FOLDER [settings]`, without a display.

Measures into FOLDER the way a sitting goes: a trace that is flushed point by point with a silent break, a map that is
filled line by line, spectra that are saved in one call. Then prints one JSON line: the files it made. With `settings` it
takes one spectrum, and saves its settings beside it after somebody has turned the laser up.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyqt6")

import numpy as np
from qtpy import QtWidgets  # type: ignore[import-not-found]  # these live in an environment of their own
from ScopeFoundry import (  # type: ignore[import-not-found]  # the same
    BaseMicroscopeApp,
    HardwareComponent,
    Measurement,
    h5_io,
)

pause = threading.Event().wait


class Laser(HardwareComponent):  # type: ignore[misc]  # ScopeFoundry ships no types
    """Settings with units, of several kinds."""

    name = "test_laser"

    def setup(self) -> None:
        """Its settings."""
        self.settings.New("power", dtype=float, initial=1.25, unit="mW")
        self.settings.New("wavelength", dtype=float, initial=532.0, unit="nm")
        self.settings.New("shutter_open", dtype=bool, initial=True)
        self.settings.New("serial_number", dtype=str, initial="L-0042")

    def connect(self) -> None:
        """Nothing to connect to."""

    def disconnect(self) -> None:
        """Nothing to let go."""


class Crucible(HardwareComponent):  # type: ignore[misc]  # see above
    """The form in which the person at the instrument says who measures what."""

    name = "mf_crucible"

    def setup(self) -> None:
        """What the person typed."""
        self.settings.New("session_name", dtype=str, initial="perovskite films, run 7")
        self.settings.New("orcid", dtype=str, initial="0000-0002-1825-0097")
        self.settings.New("proposal", dtype=str, initial="MFP01234 Films")
        self.settings.New("tags", dtype=str, initial="perovskite, raman")
        self.settings.New("comments", dtype=str, initial="comments (optional)")

    def connect(self) -> None:
        """Nothing to connect to."""

    def disconnect(self) -> None:
        """Nothing to let go."""


class SlowTrace(Measurement):  # type: ignore[misc]  # see above
    """Holds its file open: a point, a flush; in the middle silence for longer than any quiet period."""

    name = "slow_trace"

    def setup(self) -> None:
        """Its settings."""
        self.settings.New("step", dtype=float, initial=0.1, unit="s")

    def setup_figure(self) -> None:
        """ScopeFoundry 2.2 asks for a window's title."""
        self.ui = QtWidgets.QWidget()

    def run(self) -> None:
        """Measure."""
        file = h5_io.h5_base_file(app=self.app, measurement=self)
        group = h5_io.h5_create_measurement_group(measurement=self, h5group=file)
        seconds = h5_io.create_extendable_h5_dataset(group, "time", (8,), axis=0, dtype=float)
        signal = h5_io.create_extendable_h5_dataset(group, "signal", (8,), axis=0, dtype=float)
        seconds.attrs["unit"], signal.attrs["unit"] = "s", "V"
        for number in range(24):
            if number >= signal.shape[0]:
                seconds.resize((seconds.shape[0] + 8,))
                signal.resize((signal.shape[0] + 8,))
            seconds[number], signal[number] = number * 0.1, np.sin(number / 3)
            file.flush()
            pause(2.0 if number == 12 else self.settings["step"])
        file.close()


class LineMap(Measurement):  # type: ignore[misc]  # see above
    """A picture, line by line."""

    name = "line_map"

    def setup(self) -> None:
        """Its settings."""
        self.settings.New("pixel_size", dtype=float, initial=0.25, unit="um")

    def setup_figure(self) -> None:
        """ScopeFoundry 2.2 asks for a window's title."""
        self.ui = QtWidgets.QWidget()

    def run(self) -> None:
        """Measure."""
        file = h5_io.h5_base_file(app=self.app, measurement=self)
        group = h5_io.h5_create_measurement_group(measurement=self, h5group=file)
        counts = group.create_dataset("count_map", shape=(1, 20, 30), dtype=float)
        columns = np.arange(30)
        for line in range(20):
            counts[0, line] = 100 * np.exp(-((columns - 15) ** 2 + (line - 8) ** 2) / 40)
            file.flush()
            pause(0.05)
        file.close()


class Spectrum(Measurement):  # type: ignore[misc]  # see above
    """Saved in one call when it is over."""

    name = "spectrum"

    def setup(self) -> None:
        """Its settings."""
        self.settings.New("exposure", dtype=float, initial=0.5, unit="s")

    def setup_figure(self) -> None:
        """ScopeFoundry 2.2 asks for a window's title."""
        self.ui = QtWidgets.QWidget()

    def run(self) -> None:
        """Measure."""
        wavelengths = np.linspace(500, 700, 256)
        self.save_h5(data={"wls": wavelengths, "spectrum": 1000 * np.exp(-((wavelengths - 580) ** 2) / 200)})


class Microscope(BaseMicroscopeApp):  # type: ignore[misc]  # see above
    """The microscope."""

    name = "test_microscope"

    def setup(self) -> None:
        """Its parts."""
        for hardware in (Laser, Crucible):
            self.add_hardware(hardware(self))
        for measurement in (SlowTrace, LineMap, Spectrum):
            self.add_measurement(measurement(self))


def measure(app: Any, name: str) -> None:
    """Run one measurement to its end, keeping Qt alive."""
    measurement = app.measurements[name]
    measurement.start()
    until = time.monotonic() + 60
    begun = False
    while time.monotonic() < until:
        app.qtapp.processEvents()
        begun = begun or measurement.is_measuring()
        if begun and not measurement.is_measuring():
            break
        if not begun and time.monotonic() > until - 57:
            break  # over before we looked
        pause(0.005)
    app.qtapp.processEvents()


def main() -> None:
    """A short sitting."""
    folder = Path(sys.argv[1])
    app = Microscope(["microscope"])
    app.settings["save_dir"] = str(folder)
    app.settings["sample"] = "film A-17 (glass/ITO)"
    for hardware in app.hardware.values():
        hardware.settings["connected"] = True
    app.qtapp.processEvents()
    save_settings = sys.argv[2:] == ["settings"]
    for name in ("spectrum",) if save_settings else ("slow_trace", "line_map", "spectrum", "spectrum"):
        measure(app, name)
        pause(1.1)  # ScopeFoundry names files by the second
    if save_settings:
        (file,) = folder.glob("*.h5")
        app.hardware["test_laser"].settings["power"] = 1.5
        app.settings_save_ini(str(file.with_name(f"{file.stem}_settings.ini")))
    sys.stdout.write(json.dumps(sorted(path.name for path in folder.glob("*.h5"))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Qt without a display does not always end by itself


if __name__ == "__main__":
    main()
