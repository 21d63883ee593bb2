"""What is mutated: the corpus, and small made-up files of kinds that are not in it, by family.

A family is what the registry says: the ingestor that claims a file most specifically. A new built-in brings its own.
"""

from __future__ import annotations

import inspect
import io
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np
from PIL import Image, PngImagePlugin

from ingestors.api import Candidate
from ingestors.registry import Registry
from tests.contactsheet import CORPUS, files_in
from tests.fakes import binary_files, hdf5_files, scopefoundry_files, vendor_files
from tests.fakes.text_formats import FORMATS
from tests.fakes.text_reports import REPORTS
from tests.fakes.text_tables import TABLES
from tests.fakes.text_tables_more import MORE_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

FOUND: Final = Path(__file__).parents[1] / "data" / "fuzz"
"""What was found once: kept as a test."""

_LARGEST: Final = 150_000
_HEAD: Final = 24_000
"""Of a text that is longer: headers and the first rows."""
_TEXTS: Final = {"dat", "xy"}

_SUFFIXES: Final = {"igor5": "ibw", "igor2": "ibw", "gwyddion": "gwy", "phi": "spe", "drs4": "dat", "archive": "zip", "grid": "3ds", "nanoscope": "000",
                    "spe2": "spe", "spe3": "spe", "raw1": "raw", "raw3": "raw", "matlab": "mat", "raw4": "raw", "nanoscope_force": "spm", "daqmx": "tdms", "perkinelmer": "sp", "wsxm": "stp", "jpk": "jpk-force"}  # fmt: skip

Seed = tuple[str, bytes]
"""A suffix and content"""


def families() -> dict[str, list[Seed]]:
    """Seeds by the name of the ingestor that claims them; without the last one, which reads nothing."""
    registry = Registry.load()
    found: dict[str, list[Seed]] = {}
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        write_small(made)
        for path in files_in([CORPUS, made]):
            claims = registry.rank(Candidate(path)).claims
            name = claims[0].ingestor if claims else "fallback"
            content = path.read_bytes()
            if name in _TEXTS:
                content = content[:_HEAD]
            if name != "fallback" and len(content) <= _LARGEST:
                found.setdefault(name, []).append((path.suffix, content))
    return dict(sorted(found.items()))


def write_small(folder: Path) -> None:
    """Files with little in them, so that a changed byte matters: pictures, frames, and all that the tests can make."""
    for name, content in [*_pictures(), *_frames()]:
        (folder / name).write_bytes(content)
    for at, export in enumerate((TABLES | MORE_TABLES | FORMATS | REPORTS).values()):
        (folder / f"text{at}{Path(export.name).suffix}").write_bytes(export.text.encode())
    for name, make in [
        *inspect.getmembers(binary_files, inspect.isfunction),
        *inspect.getmembers(vendor_files, inspect.isfunction),
    ]:
        if not name.startswith("_") and all(
            parameter.default is not parameter.empty for parameter in inspect.signature(make).parameters.values()
        ):
            (folder / f"{name}.{_SUFFIXES.get(name, name)}").write_bytes(make())
    scopefoundry_files.tray(folder / "tray.h5", {"film 0": scopefoundry_files.FILM, "film 1": ""})
    for name, make in inspect.getmembers(hdf5_files, inspect.isfunction):
        if list(inspect.signature(make).parameters) == ["file"]:
            hdf5_files.write(folder / f"{name}.h5", make)
    with h5py.File(folder / "small.h5", "w", libver="latest") as file:
        file["counts"] = np.arange(24.0).reshape(4, 6)
        file["counts"].attrs["units"] = "cps"
        file.create_dataset("packed", data=np.arange(100), chunks=(10,), compression="gzip", shuffle=True)
        file["text"] = ["a", "bb"]
    with h5py.File(folder / "small.nxs", "w") as file:
        data = file.create_group("entry/data")
        file["entry"].attrs["NX_class"], data.attrs["NX_class"] = "NXentry", "NXdata"
        data.attrs["signal"], data.attrs["axes"] = "counts", ["x"]
        data["counts"], data["x"] = np.arange(5), np.linspace(0, 1, 5)


def _pictures() -> Iterator[tuple[str, bytes]]:
    pixels = np.add.outer(np.arange(12), np.arange(16)).astype(np.uint8)
    text = PngImagePlugin.PngInfo()
    text.add_text("Description", "a grain")
    text.add_itxt("Software", "camera", zip=True)
    exif = Image.Exif()
    exif[271], exif[306], exif[282] = "Maker", "2021:02:03 04:05:06", 300.0
    yield "a.png", _saved(Image.fromarray(pixels), "PNG", pnginfo=text)
    yield "b.jpg", _saved(Image.fromarray(pixels), "JPEG", exif=exif)
    yield (
        "c.tif",
        _saved(Image.fromarray(pixels.astype(np.uint16) * 200), "TIFF", description="ImageJ=1.53\nunit=um\nspacing=2"),
    )
    yield "d.tif", _saved(Image.fromarray(pixels), "TIFF", compression="tiff_lzw", resolution=300)
    yield "e.gif", _saved(Image.fromarray(pixels), "GIF")
    yield "f.bmp", _saved(Image.fromarray(pixels), "BMP")
    frames = [Image.fromarray(pixels), Image.fromarray(255 - pixels)]
    yield "g.tif", _saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    yield (
        "h.tif",
        _microscope_tiff(
            b"[User]\r\nDate=01/02/2021\r\n[Scan]\r\nPixelWidth=1e-9\r\nPixelHeight=1e-9\r\n[Beam]\r\nHV=5000\r\n"
        ),
    )


def _frames() -> Iterator[tuple[str, bytes]]:
    """A detector's frame as ESRF's EDF, a microscope's stack as MRC 2014, a spectrum as EMSA/MAS."""
    pixels = np.arange(48, dtype="<u2")
    head = "{\nHeaderID = EH:000001:000000:000000 ;\nByteOrder = LowByteFirst ;\nDataType = UnsignedShort ;\nDim_1 = 8 ;\nDim_2 = 6 ;\nSize = 96 ;\ncount_time = 0.1 ;\n"
    yield "frame.edf", (head.ljust(510) + "}\n").encode() + pixels.tobytes()
    stack = bytearray(1024)
    struct.pack_into("<10i", stack, 0, 8, 6, 1, 2, 0, 0, 0, 8, 6, 1)
    struct.pack_into("<3f", stack, 40, 80.0, 60.0, 1.0)
    struct.pack_into("<3i", stack, 64, 1, 2, 3)
    stack[208:216] = b"MAP \x44\x44\0\0"
    yield "stack.mrc", bytes(stack) + pixels.astype("<f4").tobytes()
    yield (
        "spectrum.msa",
        (
            b"#FORMAT      : EMSA/MAS Spectral Data File\n#VERSION     : 1.0\n#TITLE       : edge\n#NPOINTS     : 4.\n#NCOLUMNS    : 1.\n"
            b"#XUNITS      : eV\n#YUNITS      : Counts\n#DATATYPE    : Y\n#XPERCHAN    : 0.5\n#OFFSET      : 280.\n"
            b"#SPECTRUM    : Spectral Data Starts Here\n1.0,\n2.0,\n5.0,\n3.0,\n#ENDOFDATA   :\n"
        ),
    )


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _microscope_tiff(words: bytes) -> bytes:
    """A deflated TIFF with FEI's private tag 34682, which holds settings as text."""
    strip = zlib.compress(bytes(range(192)))
    tags = [(256, 4, 1, 16), (257, 4, 1, 12), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (278, 4, 1, 12),
            (279, 4, 1, len(strip)), (34682, 2, len(words), 8 + len(strip))]  # fmt: skip
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 8 + len(strip) + len(words)) + strip + words + directory
