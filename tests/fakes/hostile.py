"""Files that were made to hurt whoever reads them, each with what reading it has to come to."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

CORPUS: Final = Path(__file__).parents[1] / "data" / "corpus"
SCAN: Final = CORPUS / "scopefoundry" / "made_2.3.0" / "261120_151443_apd_2d_scan.h5"
PATTERN: Final = CORPUS / "xy" / "LIPRAS" / "PZT-001.xy"
SECRET: Final = "LAUNCH-CODE-7391"
"""Stands in a file beside the hostile ones: it must never turn up in what is read of those."""

MIB: Final = 2**20


@dataclass(frozen=True)
class Hostile:
    """A file: its name, how it is made, who may read it, and a word of the reason or the warning that a person gets."""

    name: str
    make: Callable[[Path], None]
    read_by: frozenset[str]
    said: str = ""


def zeros_deflated(length: int) -> bytes:
    """The zlib stream of so many zero bytes, a thousand times shorter and made without compressing them all."""
    squeezer = zlib.compressobj(9)
    head = squeezer.compress(bytes(MIB)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeezer.compress(bytes(MIB)) + squeezer.flush(zlib.Z_FULL_FLUSH)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    rest, last = divmod(length - MIB, MIB)
    end = squeezer.compress(bytes(last)) + squeezer.flush(zlib.Z_FINISH)
    return head + block * rest + end + struct.pack(">I", ((length % 65521) << 16) | 1)


# --- broken ----------------------------------------------------------------------------------------------------------


def _bytes(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def _part(source: Path, count: int | None = None) -> Callable[[Path], None]:
    """The first bytes of a file, half of it if no count is given."""

    def make(path: Path) -> None:
        content = source.read_bytes()
        path.write_bytes(content[: len(content) // 2 if count is None else count])

    return make


# --- HDF5 ------------------------------------------------------------------------------------------------------------


def _hdf5(fill: Callable[[h5py.File, Path], None]) -> Callable[[Path], None]:
    """A file that looks like a ScopeFoundry measurement, made worse by `fill`."""

    def make(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.attrs["ScopeFoundry_version"] = 210
            for name, kind in (("app", "App"), ("hardware", "HardwareList"), ("measurement", "")):
                file.create_group(name).attrs["ScopeFoundry_type"] = kind
            file.create_group("measurement/trap/settings").attrs["run_state"] = "stop"
            file["measurement/trap"].attrs["ScopeFoundry_type"] = "Measurement"
            fill(file, path)

    return make


def _loops(file: h5py.File, _: Path) -> None:
    trap = file["measurement/trap"]
    trap["self"] = trap
    trap["root"] = file["/"]
    trap["a"], trap["b"] = h5py.SoftLink("/measurement/trap/b"), h5py.SoftLink("/measurement/trap/a")
    for index in range(40):  # 2 to the 40 paths
        for turn in ("left", "right"):
            file.require_group(f"maze/{index}")[turn] = file.require_group(f"maze/{index + 1}")


def secrets(folder: Path) -> None:
    """What the hostile files point to: an HDF5 file and raw bytes, with the secret in attributes and values."""
    with h5py.File(folder / "outside.h5", "w") as file:
        data = file.create_dataset("data", data=np.full((64, 64), 7391.0))
        data.attrs["note"] = SECRET
        file.attrs["sample"] = SECRET
    (folder / "outside.raw").write_bytes(np.full(4096, 7391.0).tobytes())


def _external_links(file: h5py.File, path: Path) -> None:
    trap = file["measurement/trap"]
    for target in ("outside.h5", str(path.with_name("outside.h5")), "/etc/passwd", "/dev/zero"):
        trap[f"to {target.replace('/', '_')}"] = h5py.ExternalLink(target, "/")
    trap["spectrum"] = h5py.ExternalLink("outside.h5", "data")
    trap["settings/mf_crucible"] = h5py.ExternalLink("outside.h5", "/")


def _external_storage(file: h5py.File, path: Path) -> None:
    for name, where in (("spectrum", path.with_name("outside.raw")), ("passwords", Path("/etc/passwd"))):
        file["measurement/trap"].create_dataset(name, (100,), "f8", external=[(str(where), 0, h5py.h5f.UNLIMITED)])


def _virtual(file: h5py.File, path: Path) -> None:
    layout = h5py.VirtualLayout((64, 64), "f8")
    layout[:] = h5py.VirtualSource(path.with_name("outside.h5"), "data", (64, 64))
    file["measurement/trap"].create_virtual_dataset("image", layout, fillvalue=1.0)
    layout = h5py.VirtualLayout((8,), "f8")
    layout[:] = h5py.VirtualSource(".", "/measurement/trap/itself", (8,))
    file["measurement/trap"].create_virtual_dataset("itself", layout)


def _endless(file: h5py.File, _: Path) -> None:
    trap = file["measurement/trap"]
    trap.create_dataset("image", (10**6, 10**6), "f8", chunks=(256, 256))[0, 0] = 1.0
    trap.create_dataset("spectrum", (10**12,), "f4", chunks=(2**20,), fillvalue=1.0)
    trap.create_dataset("spec_map", (10**4, 10**4, 10**4), "u2", chunks=(1, 1, 10**4))[5, 5] = 1
    trap.create_dataset("names", (10**12,), "S80", chunks=(1000,))
    trap.create_dataset("contiguous", (10**12,), "f4")
    trap.attrs["empty"] = h5py.Empty("f8")


def _deflate_bomb(file: h5py.File, _: Path) -> None:
    trap = file["measurement/trap"]
    for name, mebibytes in (("one_chunk", 2000), ("spectrum", 80), ("image", 64)):
        count = mebibytes * MIB // 8
        shape = (count // 1024, 1024) if name == "image" else (count,)
        data = trap.create_dataset(name, shape, "f8", chunks=shape, compression="gzip")
        data.id.write_direct_chunk((0,) * len(shape), zeros_deflated(count * 8))
    many = trap.create_dataset("spec_map", (100, 100, 2**17), "f8", chunks=(1, 1, 2**17), compression="gzip")
    chunk = zeros_deflated(MIB)
    for row in range(100):
        many.id.write_direct_chunk((row, 0, 0), chunk)


def _short_chunk(file: h5py.File, _: Path) -> None:
    data = file["measurement/trap"].create_dataset("spectrum", (1000,), "f8", chunks=(1000,), compression="gzip")
    data.id.write_direct_chunk((0,), b"\x78\x9c no deflate stream at all")


def _deep_groups(file: h5py.File, _: Path) -> None:
    here = file["measurement/trap"]
    for _level in range(3000):
        here = here.create_group("d")
    here["spectrum"] = np.arange(5.0)


def _deep_json(file: h5py.File, _: Path) -> None:
    settings = file["measurement/trap/settings"]
    settings.attrs["nested"] = "[" * 9000 + "]" * 9000
    settings.attrs["number"] = "[" + "9" * 9000 + "]"
    settings.attrs["infinite"] = "[1e999, -1e999, NaN]"


def _crowd(file: h5py.File, _: Path) -> None:
    many = file["measurement/trap"].create_group("many")
    for index in range(6000):
        many.create_group(f"group {index}")
    settings = file["measurement/trap/settings"]
    for index in range(2500):
        settings.attrs[f"setting {index}"] = f"value {index} " * 20


def _texts(file: h5py.File, _: Path) -> None:
    trap = file["measurement/trap"]
    words = trap.create_dataset("words", (200,), h5py.string_dtype())
    words[:] = ["x" * 100_000] * 200
    trap.create_dataset("wide", (1,), h5py.string_dtype("ascii", 200 * MIB), compression="gzip")
    trap.attrs["odd \x01 name\u202e"] = "\x1b[2J\x07\u202e" * 50


# --- pictures --------------------------------------------------------------------------------------------------------


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int, content: bytes, *before: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + _chunk(b"IDAT", content) + _chunk(b"IEND", b"")


def _tiff(width: int, height: int, strip: bytes, *, samples: int = 1, loop: bool = False) -> bytes:
    """A deflated grey TIFF of one strip; with `loop` its next directory is itself."""
    tags = [
        (256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 8), (262, 3, 1),
        (273, 4, 8), (277, 3, samples), (278, 4, height), (279, 4, len(strip)),
    ]  # fmt: skip
    directory = 8 + len(strip)
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    following = struct.pack("<I", directory if loop else 0)
    return struct.pack("<2sHI", b"II", 42, directory) + strip + struct.pack("<H", len(tags)) + entries + following


def _png_bomb(path: Path) -> None:
    path.write_bytes(_png(50_000, 50_000, zeros_deflated(50_000 * 50_001)))


def _png_text_bomb(path: Path) -> None:
    bomb = b"Comment\x00\x00" + zeros_deflated(1000 * MIB)
    path.write_bytes(_png(4, 4, zlib.compress(bytes(20)), *[_chunk(b"zTXt", bomb)] * 3))


def _png_profile_bomb(path: Path) -> None:
    path.write_bytes(_png(4, 4, zlib.compress(bytes(20)), _chunk(b"iCCP", b"icc\x00\x00" + zeros_deflated(1000 * MIB))))


# --- text and archives -----------------------------------------------------------------------------------------------


def _one_line(path: Path) -> None:
    path.write_bytes(b"1.5 2.25 -3e4 " * (8 * MIB // 14))


def _archive(names: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _archive_bomb(path: Path) -> None:
    """A diffractometer's archive with a part of 97 MiB of blanks."""
    blanks = b" " * (97 * MIB)
    opening = b"<?xml version='1.0'?><RawData>"
    path.write_bytes(
        _archive(
            {"Experiment0/DataContainer.xml": b"<a/>", "Experiment0/RawData0.xml": opening + blanks + b"</RawData>"}
        )
    )


def _entities(root: str) -> bytes:
    """A billion laughs: each entity is ten of the one before."""
    laughs = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    return f'<?xml version="1.0"?><!DOCTYPE {root} [<!ENTITY l0 "ha">{laughs}]><{root}>&l9;</{root}>'.encode()


def _nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + closing * depth


ANY_TEXT: Final = frozenset({"dat", "xy", "binary", "fallback"})
HDF5: Final = frozenset({"scopefoundry", "hdf5", "fallback"})
LAST: Final = frozenset({"fallback"})
PICTURE: Final = frozenset({"image", "fallback"})

HOSTILE: Final = (
    Hostile("empty.h5", _bytes(b""), LAST),
    Hostile("empty.dat", _bytes(b""), LAST),
    Hostile("zeros.h5", _bytes(bytes(40_000)), LAST),
    Hostile("zeros.dat", _bytes(bytes(40_000)), LAST),
    Hostile("zeros.tif", _bytes(bytes(40_000)), LAST),
    Hostile("stopped.h5", _part(SCAN, 96), LAST, "incomplete"),
    Hostile("half.h5", _part(SCAN), LAST, "incomplete"),
    Hostile("half.xy", _part(PATTERN), ANY_TEXT),
    Hostile("loops.h5", _hdf5(_loops), HDF5),
    Hostile("links.h5", _hdf5(_external_links), HDF5, "another file"),
    Hostile("storage.h5", _hdf5(_external_storage), HDF5, "another file"),
    Hostile("view.h5", _hdf5(_virtual), HDF5, "other files"),
    Hostile("endless.h5", _hdf5(_endless), HDF5),
    Hostile("inflated.h5", _hdf5(_deflate_bomb), HDF5, "too large"),
    Hostile("short.h5", _hdf5(_short_chunk), HDF5),
    Hostile("deep.h5", _hdf5(_deep_groups), HDF5),
    Hostile("json.h5", _hdf5(_deep_json), HDF5),
    Hostile("crowd.h5", _hdf5(_crowd), HDF5),
    Hostile("texts.h5", _hdf5(_texts), HDF5),
    Hostile("bomb.png", _png_bomb, PICTURE, "pixels"),
    Hostile("text.png", _png_text_bomb, PICTURE),
    Hostile("profile.png", _png_profile_bomb, PICTURE),
    Hostile("huge.png", _bytes(_png(2**31 - 1, 2**31 - 1, b"")), PICTURE, "pixels"),
    Hostile("bomb.tif", _bytes(_tiff(60_000, 60_000, zeros_deflated(60_000 * MIB // 1024))), PICTURE, "pixels"),
    Hostile("huge.tif", _bytes(_tiff(2**32 - 1, 2**32 - 1, b"x" * 100)), PICTURE),
    Hostile("round.tif", _bytes(_tiff(8, 8, zlib.compress(bytes(64)), loop=True)), PICTURE),
    Hostile("channels.tif", _bytes(_tiff(8, 8, zlib.compress(bytes(64)), samples=65535)), PICTURE),
    Hostile("line.dat", _one_line, ANY_TEXT),
    Hostile("columns.csv", _bytes(b",".join(b"%d" % n for n in range(40_000)) + b"\n" + b"1," * 39_999 + b"1\n" * 2), ANY_TEXT),
    Hostile("deep.json", _bytes(_nested(b"[", b"]", 200_000)), ANY_TEXT),
    Hostile("deep.dat", _bytes(b"# " + _nested(b'{"a":', b"}", 100_000) + b"\n1 2\n3 4\n5 6\n"), ANY_TEXT),
    Hostile("brackets.dat", _bytes(b"(" * 200_000 + b"\n1 2\n3 4\n5 6\n"), ANY_TEXT),
    Hostile("blanks.dat", _bytes(b" " * (8 * MIB) + b"x\n1 2\n3 4\n5 6\n"), ANY_TEXT),
    Hostile("commas.dat", _bytes(b"1 2\n3 4\n" + b"," * MIB + b"\n5 6\n7 8\n"), ANY_TEXT),
    Hostile("quotes.csv", _bytes(b'a,b\n1,2\n"' + b'""' * MIB + b"\n3,4\n5,6\n"), ANY_TEXT),
    Hostile("numbers.dat", _bytes(b"a b\n" + (b"9" * 100_000 + b" 1e" + b"9" * 100_000 + b"\n") * 20), ANY_TEXT),
    Hostile("dates.dat", _bytes(b"Date: " + b"1" * 100_000 + b"/99/99999 99:99:99 XM\n1 2\n3 4\n5 6\n"), ANY_TEXT),
    Hostile("entities.xrdml", _bytes(_entities("xrdMeasurements")), ANY_TEXT),
    Hostile("deep.xrdml", _bytes(b"<xrdMeasurements>" + _nested(b"<a>", b"</a>", 300_000) + b"</xrdMeasurements>"), ANY_TEXT),
    Hostile("bomb.brml", _archive_bomb, LAST),
    Hostile("fake.gwy", _bytes(b"GWYPGwyContainer\x00\xff\xff\xff\xff" + b"/0/data\x00o" * 50_000), LAST),
    Hostile("fake.ibw", _bytes(struct.pack("<h", 5) + b"\xff" * 4000), LAST),
    Hostile("settings.dat", _bytes(b"### DATA:\n1 2 3\n### HEADER:\n" + json.dumps({"a": 1}).encode() * 20_000), ANY_TEXT),
)  # fmt: skip
