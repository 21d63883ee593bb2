"""Small files in the layouts of makers' programs, with numbers of our own: spectrometers, probe microscopes, diffractometers and data loggers."""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

from tests.fakes.binary_files import LINE, archive, igor5

PLANE: Final = np.add.outer(np.arange(24.0), np.arange(32.0) / 4)


def opus() -> bytes:
    """An absorbance from 4000 to 400 cm-1 with its instrument and sample."""

    def parameters(*pairs: tuple[str, Any]) -> bytes:
        found = b""
        for name, value in pairs:
            text = (
                (value.encode("latin-1") + b"\0").ljust(-(-(len(str(value)) + 1) // 2) * 2, b"\0")
                if isinstance(value, str)
                else b""
            )
            kind, body = (
                (2, text)
                if text
                else (0, struct.pack("<i", value))
                if isinstance(value, int)
                else (1, struct.pack("<d", value))
            )
            found += name.encode() + b"\0" + struct.pack("<HH", kind, len(body) // 2) + body
        found += b"END\0" + bytes(4)
        return found.ljust(-(-len(found) // 4) * 4, b"\0")

    status = parameters(
        ("DPF", 1),
        ("NPT", 64),
        ("FXV", 4000.0),
        ("LXV", 400.0),
        ("CSF", 1.0),
        ("DXU", "WN"),
        ("DAT", "09/11/2012"),
        ("TIM", "11:45:34.120 (GMT+1)"),
    )
    blocks = [
        (3 | 3 << 2 | 4 << 10, LINE.astype("<f4").tobytes()),
        (3 | 3 << 2 | 1 << 4 | 4 << 10, status),
        (2 << 4, parameters(("INS", "VERTEX 70"), ("LWN", 15798.5))),
        (3 << 4, parameters(("RES", 4.0), ("NSS", 32))),
        (10 << 4, parameters(("SNM", "olive oil"), ("CNM", "A. Person"))),
    ]
    at = 24 + 12 * len(blocks)
    directory = body = b""
    for kind, content in blocks:
        directory += struct.pack("<III", kind, len(content) // 4, at + len(body))
        body += content
    return b"\x0a\x0a\xfe\xfe" + struct.pack("<dIII", 920622.0, 24, 40, len(blocks)) + directory + body


def omnic(titles: tuple[str, ...] = ()) -> bytes:
    """A spectrum (or a group of them) from 4000 to 400 cm-1, measured at 2015-04-09 02:45:41 UTC."""
    seconds = 3637622741
    keys = b""
    body = b""
    start = 304 + 16 * 4 * max(len(titles), 1)
    for index in range(max(len(titles), 1)):
        header = bytearray(140)
        struct.pack_into("<IIB3xB3xff", header, 0, 1, 64, 1, 17, 4000.0, 400.0)
        struct.pack_into("<I", header, 36, 32)
        struct.pack_into("<I", header, 52, 64)
        struct.pack_into("<f", header, 80, 15798.25)
        member = (titles[index] if titles else "").encode().ljust(256, b"\0") + struct.pack("<II", seconds, 0)
        parts = [
            (2, bytes(header)),
            (3, (LINE + index).astype("<f4").tobytes()),
            (27, b"Resolution:\t4.000\r\nDetector:\tMCT/A\r\n\0"),
            (107 if titles else 105, member),
        ]
        for kind, content in parts:
            keys += struct.pack("<BBII6x", kind, 0, start + len(body), len(content))
            body += content
    head = bytearray(304)
    struct.pack_into("18s", head, 0, b"Spectral Data File")
    struct.pack_into("255s", head, 30, b"olive oil")
    struct.pack_into("<H", head, 294, len(keys) // 16)
    struct.pack_into("<I", head, 296, seconds)
    return bytes(head) + keys + body


def _member(number: int, kind: int, body: bytes) -> bytes:
    return struct.pack("<HIH", number, len(body) + 2, kind) + body


def _words(number: int, text: str) -> bytes:
    return _member(number, 29987, struct.pack("<H", len(text)) + text.encode())


def perkinelmer() -> bytes:
    """A transmittance from 4000 to 400 cm-1."""
    instrument = _words(35837, "Spectrum 3") + _words(35838, "12345")
    settings = (
        _member(35844, 29980, struct.pack("<d", 4.0))
        + _member(35840, 29996, struct.pack("<H", 16))
        + struct.pack("<HI", 123, len(instrument))
        + instrument
    )
    history = (
        _words(35698, "A. Person")
        + _words(35700, "Mon Oct 28 16:08:45 2024")
        + struct.pack("<HI", 124, len(settings))
        + settings
    )
    history = struct.pack("<HI", 122, len(history)) + history
    values = (LINE * 100).astype("<f8").tobytes()
    members = (
        struct.pack("<HI", 35711, len(history)) + history
        + _member(35698, 29981, struct.pack("<dd", 4000.0, 400.0)) + _member(35701, 29995, struct.pack("<i", 64))
        + _words(35703, "cm-1") + _words(35704, "%T") + _member(35708, 29974, struct.pack("<I", len(values)) + values)
    )  # fmt: skip
    return (
        b"PEPE"
        + b"2D constant interval DataSet file".ljust(40, b"\0")
        + struct.pack("<HI", 120, len(members))
        + members
    )


def perkinelmer_image() -> bytes:
    """Three by two pixels with 16 points each."""
    grid = (
        struct.pack("<H", 5)
        + b"Image"
        + struct.pack("<10d3i", 6.25, 6.25, -2.0, 4000.0, 3970.0, 0, 0, 100.0, 200.0, 0, 3, 2, 16)
        + bytes(20)
    )
    texts = b"".join(
        b"#u" + struct.pack("<H", len(text)) + text + bytes(6)
        for text in (b"Spotlight 400", b"Mon Oct 28 16:08:45 2024")
    )
    blocks = [(5100, grid), (5104, texts), *((5105, (LINE[:16] + index).astype("<f4").tobytes()) for index in range(6))]
    return (
        b"PEPE"
        + b"DataSet - 4DConst3DInterval".ljust(40, b"\0")
        + b"".join(struct.pack("<HI", kind, len(body)) + body for kind, body in blocks)
    )


def gsf() -> bytes:
    """A near field of 1 µm x 0.75 µm."""
    head = b"Gwyddion Simple Field 1.0\nXRes=32\nYRes=24\nXReal=1E-06\nYReal=7.5E-07\nXYUnits=m\nZUnits=V\nTitle=O2A\nNeaspec_Runs=1\nDate=2020-05-06 07:08:09\n"
    return head.ljust(len(head) + 4 - len(head) % 4, b"\0") + bytes(PLANE.astype("<f4").tobytes())


def wsxm() -> bytes:
    """A topography of 500 nm x 375 nm whose integers span 59 nm."""
    values = (PLANE * 100).astype("<i2")
    words = (
        "WSxM file copyright UAM\r\nSxM Image file\r\nImage header size: {:04}\r\n\r\n[Control]\r\n\r\n    Set Point: -2.44 V\r\n    X Amplitude: 500 nm\r\n    Y Amplitude: 375 nm\r\n"
        "\r\n[General Info]\r\n\r\n    Acquisition channel: Topography\r\n    Acquisition time: 18/06/2021, 14:12:26.398\r\n    Head type: AFM\r\n    Image Data Type: short\r\n"
        "    Number of columns: 32\r\n    Number of rows: 24\r\n    Z Amplitude: 59 nm\r\n\r\n[Header end]\r\n"
    )
    return words.format(len(words.format(0))).encode("cp1252") + bytes(values.tobytes())


def jpk(*, curves: int = 0) -> bytes:
    """An approach and a retraction with the height in metres and the force in newtons; or a map of such curves with what they share told once."""
    channel = (
        "{0}encoder.type=signedshort\n{0}encoder.scaling.offset=1.0\n{0}encoder.scaling.multiplier=0.5\n{0}encoder.scaling.unit.unit=V\n{1}conversion-set.conversions.base=volts\n"
        "{1}conversion-set.conversions.default={2}\n{1}conversion-set.conversion.{2}.base-calibration-slot=distance\n{1}conversion-set.conversion.{2}.scaling.offset=0.0\n"
        "{1}conversion-set.conversion.{2}.scaling.multiplier=0.1\n{1}conversion-set.conversion.{2}.scaling.unit.unit={3}\n{1}conversion-set.conversion.distance.base-calibration-slot=volts\n"
        "{1}conversion-set.conversion.distance.scaling.multiplier=1.0E-8\n{1}conversion-set.conversion.distance.scaling.unit.unit=m\n"
    )
    names = (("height", "calibrated", "m"), ("vDeflection", "force", "N"))
    kind = "force-scan-map" if curves else "force-scan-series"
    members: dict[str, str | bytes] = {
        "header.properties": f"#Thu May 21 19:53:44 CEST 2015\njpk-data-file=spm-forcefile\ntype={kind}\n{kind}.force-segments.count=2\n{kind}.description.instrument=NanoWizard\n"
        f"{kind}.description.name=cell 3\n{kind}.description.comment=no comment entry\n{kind}.indexes.min=0\n{kind}.indexes.max=3\n"
    }
    if curves:
        members["shared-data/header.properties"] = "".join(
            channel.format(f"lcd-info.{at}.", f"lcd-info.{at}.", *name[1:]) for at, name in enumerate(names)
        )
    for curve in range(max(curves, 1)):
        for number, style in enumerate(("extend", "retract")):
            folder = f"index/{curve}/segments/{number}/" if curves else f"segments/{number}/"
            told = f"force-segment-header.settings.style={style}\nforce-segment-header.num-points=64\nforce-segment-header.duration=0.5\n"
            told += (
                "force-segment-header.time-stamp=2015-05-21 18\\:16\\:49.170 +0200\nchannels.list=height vDeflection\n"
            )
            for at, name in enumerate(names):
                begin = f"channel.{name[0]}."
                told += f"{begin}lcd-info.*={at}\n" if curves else channel.format(f"{begin}data.", begin, *name[1:])
                told += f"{begin}data.file.name=channels/{name[0]}.dat\n"
                line = np.arange(64) if name[0] == "height" else LINE * 100
                members[f"{folder}channels/{name[0]}.dat"] = line.astype(">i2").tobytes()
            members[f"{folder}segment-header.properties"] = told
    return archive(members)


def pxp() -> bytes:
    """A history, a folder with a wave in it, and one at the top."""
    folder, wave = b"scans".ljust(32, b"\0"), igor5()
    records = [(2, b"Made by hand\r"), (9, folder), (3, wave), (10, b""), (3, wave), (4, b"// nothing")]
    return b"".join(struct.pack("<HhI", kind, 0, len(body)) + body for kind, body in records)


def raw4() -> bytes:
    """Bruker version 4: one range from 20 degrees on, eight bytes a point."""

    def text(name: str, value: str) -> bytes:
        return struct.pack("<III24s", 10, 36 + len(value), 0, name.encode()) + value.encode()

    source = bytearray(136)
    struct.pack_into("<II", source, 0, 30, 136)
    struct.pack_into("<5d", source, 72, 1.5418, 1.5406, 1.54439, 1.39222, 0.5)
    struct.pack_into("4s", source, 116, b"Cu")
    drive = bytearray(92)
    struct.pack_into("<III24s", drive, 0, 50, 92, 1, b"2Theta")
    struct.pack_into("<d", drive, 56, 20.0)
    head = bytearray(160)
    struct.pack_into("24s", head, 32, b"Locked Coupled")
    struct.pack_into("<ddIf", head, 72, 20.0, 0.02, 64, 500.0)
    struct.pack_into("<ffxxxxd", head, 100, 40.0, 30.0, 1.5406)
    struct.pack_into("<II", head, 136, 8, len(drive))
    points = np.zeros(64, np.dtype("<f4,<i4"))
    points["f0"] = LINE * 100
    start = b"RAW4.00\0".ljust(12, b"\0") + b"05/17/2018".ljust(12, b"\0") + b"10:11:12".ljust(37, b"\0")
    return (
        start
        + text("SAMPLEID", "quartz")
        + text("USER", "A. Person")
        + bytes(source)
        + bytes(head)
        + bytes(drive)
        + points.tobytes()
    )


def nanoscope_force() -> bytes:
    """A force curve of version 9.3: 32 points of approach, 24 of retraction, 8 held, in 4 bytes each."""
    offset = 2048
    lines = [
        "\\*Force file list", "\\Version: 0x09300201", "\\Date: 03:12:45 PM Fri Mar 12 2010", "\\Start context: FOL", "\\*Equipment list", "\\Microscope: Dimension Icon",
        "\\*Ciao scan list", "\\Operating mode: Force", "\\@Sens. Zsens: V 8.0 nm/V", "\\@Sens. DeflSens: V 20.0 nm/V", "\\*Ciao force image list", f"\\Data offset: {offset}",
        f"\\Data length: {4 * 64}", "\\Bytes/pixel: 2", "\\Samps/line: 32 24", '\\@4:Image Data: S [DeflectionError] "Deflection Error"',
        "\\@4:Z scale: V [Sens. DeflSens] (0.0003750000 V/LSB) 2.500000 V", "\\@4:Ramp size: V [Sens. Zsens] (0.005 V/LSB) 6.2 V", "\\*File list end",
    ]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\x1a").encode("cp1252").ljust(offset, b"\0") + (LINE * 1000).astype(
        "<i4"
    ).tobytes()


def daqmx() -> bytes:
    """Two channels of 16-bit integers in one buffer of DAQmx, scaled to volts."""

    def text(words: str) -> bytes:
        return struct.pack("<I", len(words)) + words.encode()

    def prop(name: str, kind: int, value: bytes) -> bytes:
        return text(name) + struct.pack("<I", kind) + value

    count = 64
    objects = b""
    for offset, name in ((0, "left"), (2, "right")):
        index = (
            struct.pack("<IIIQ", 0x1269, 0xFFFFFFFF, 1, count)
            + struct.pack("<IIIIII", 1, 3, 0, offset, 0, 0)
            + struct.pack("<II", 1, 4)
        )
        scale = [
            prop("NI_Number_Of_Scales", 3, struct.pack("<i", 2)), prop("NI_Scale[1]_Scale_Type", 0x20, text("Linear")),
            prop("NI_Scale[1]_Linear_Slope", 10, struct.pack("<d", 0.001)), prop("NI_Scale[1]_Linear_Y_Intercept", 10, struct.pack("<d", 1.0)),
            prop("unit_string", 0x20, text("V")), prop("wf_increment", 10, struct.pack("<d", 0.01)),
        ]  # fmt: skip
        objects += text(f"/'run'/'{name}'") + index + struct.pack("<I", len(scale)) + b"".join(scale)
    top = text("/") + struct.pack("<I", 0xFFFFFFFF) + struct.pack("<I", 1) + prop("name", 0x20, text("two channels"))
    metadata = struct.pack("<I", 3) + top + objects
    rows = np.stack([LINE * 1000, LINE * -1000], axis=1).astype("<i2").tobytes()
    return (
        b"TDSm"
        + struct.pack("<IIQQ", 0x2 | 0x4 | 0x8 | 0x80, 4713, len(metadata) + len(rows), len(metadata))
        + metadata
        + rows
    )


def andi() -> bytes:
    """A chromatogram of 64 points, one every half second."""

    def words(text: str) -> bytes:
        return struct.pack(">I", len(text)) + text.encode().ljust(-(-len(text) // 4) * 4, b"\0")

    def attribute(name: str, text: str) -> bytes:
        return words(name) + struct.pack(">II", 2, len(text)) + text.encode().ljust(-(-len(text) // 4) * 4, b"\0")

    told = {
        "aia_template_revision": "1.0",
        "injection_date_time_stamp": "20090401155543-0700",
        "sample_name": "caffeine",
        "detector_name": "VWD",
        "detector_unit": "mAU",
    }
    head = b"CDF\x01" + struct.pack(">III", 0, 10, 1) + words("point_number") + struct.pack(">I", 64)
    head += struct.pack(">II", 12, len(told)) + b"".join(attribute(*pair) for pair in told.items())
    names = (
        ("ordinate_values", (0,), (LINE * 1000).astype(">f4")),
        ("actual_delay_time", (), np.array([1.0], ">f4")),
        ("actual_sampling_interval", (), np.array([0.5], ">f4")),
    )

    def listed(start: int) -> bytes:
        found = struct.pack(">II", 11, len(names))
        for name, dimensions, values in names:
            found += (
                words(name)
                + struct.pack(f">I{len(dimensions)}I", len(dimensions), *dimensions)
                + struct.pack(">II", 0, 0)
            )
            found += struct.pack(">III", 5, values.nbytes, start)
            start += values.nbytes
        return found

    return head + listed(len(head) + len(listed(0))) + b"".join(bytes(values.tobytes()) for _, _, values in names)


def fcs() -> bytes:
    """Sixty-four events of two detectors and the time."""
    events = np.stack([LINE * 1000, LINE * -10, np.arange(64.0)], axis=1).astype(">f4").tobytes()
    pairs = {
        "$PAR": "3", "$TOT": "64", "$MODE": "L", "$DATATYPE": "F", "$BYTEORD": "4,3,2,1", "$P1N": "FSC-A", "$P1B": "32", "$P1R": "262144", "$P2N": "FL1-A", "$P2S": "GFP//RFP", "$P2B": "32",
        "$P2R": "262144", "$P3N": "Time", "$P3B": "32", "$P3R": "64", "$DATE": "28-FEB-2013", "$BTIM": "15:19:53", "$CYT": "LSRII", "$SRC": "yeast",
    }  # fmt: skip
    text = "/" + "".join(f"{key}/{value}/" for key, value in pairs.items())
    begin = 58
    first = begin + len(text)
    places = (begin, first - 1, first, first + len(events) - 1, 0, 0)
    return b"FCS3.0    " + "".join(f"{place:8d}" for place in places).encode() + text.encode() + events


def matlab4(order: str = "<") -> bytes:
    """A sweep of two columns, a gain, a text and a sparse matrix of 5 x 9 with two entries."""

    def variable(name: str, values: Any, precision: int, kind: int) -> bytes:
        table = np.atleast_2d(values)
        mark = 1000 * (order == ">") + 10 * precision + kind
        code = order + ("f8", "f4", "i4", "i2", "u2", "u1")[precision]
        head = struct.pack(order + "5i", mark, *table.shape, 0, len(name) + 1)
        return head + name.encode() + b"\0" + table.T.astype(code).tobytes()

    return (
        variable("sweep", np.stack([np.arange(64.0), 2.5 * LINE], axis=1), 0, 0)
        + variable("gain", [[0.125]], 1, 0)
        + variable("operator", [[ord(letter) for letter in "Ada"]], 5, 1)
        + variable("links", [[1, 2, 0.5], [5, 9, 1.5], [5, 9, 0]], 0, 2)
    )


EVERY: Final[dict[str, tuple[str, Any]]] = {
    "opus": ("a.0", opus), "omnic": ("a.spa", omnic), "perkinelmer": ("a.sp", perkinelmer), "perkinelmer_image": ("a.fsm", perkinelmer_image), "gsf": ("a.gsf", gsf),
    "wsxm": ("a.stp", wsxm), "jpk": ("a.jpk-force", jpk), "pxp": ("a.pxp", pxp), "raw4": ("a.raw", raw4), "nanoscope_force": ("a.spm", nanoscope_force), "daqmx": ("a.tdms", daqmx),
    "andi": ("a.cdf", andi), "fcs": ("a.fcs", fcs), "matlab4": ("a.mat", matlab4),
}  # fmt: skip
"""A name and a writer for each of them."""
