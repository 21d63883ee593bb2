"""Binary files as instruments' programs write them, made after the formats' public documentation (see the readers' docstrings)."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any, Final

import numpy as np

ROWS, COLUMNS = np.mgrid[0:24, 0:32]
PLANE: Final = (np.sin(COLUMNS / 5) * np.cos(ROWS / 4)).astype(np.float64)
LINE: Final = np.exp(-((np.arange(64) - 30) ** 2) / 50.0)


def igor5(order: str = "<") -> bytes:
    """Version 5: a wave of 32 x 24 points in nm with a note."""
    data = np.ascontiguousarray(PLANE).astype(order + "f4").tobytes()
    note, unit, x_unit = b"Operator: nobody\rTemperature (K): 4.2\rDate: 2021-03-04\rTime: 5:06:07 PM\r", b"", b""
    head = struct.pack(order + "hh15i", 5, 0, 320 + len(data), 0, len(note), len(unit), len(x_unit), *[0] * 10)
    wave = bytearray(320)
    struct.pack_into(order + "IIiH", wave, 4, 3_600_000_000, 3_600_000_100, 32 * 24, 2)
    struct.pack_into("32s", wave, 28, b"topo")
    struct.pack_into(order + "4i", wave, 68, 32, 24, 0, 0)
    struct.pack_into(order + "4d", wave, 84, 0.5, 0.25, 1, 1)
    struct.pack_into(order + "4d", wave, 116, 10.0, 0, 0, 0)
    for index, text in enumerate((b"V", b"nm", b"nm", b"", b"")):
        struct.pack_into("4s", wave, 148 + 4 * index, text)
    return head + bytes(wave) + data + note


def igor2(order: str = "<") -> bytes:
    """Version 2: 64 points along a time axis."""
    data = LINE.astype(order + "f8").tobytes()
    note = b"a remark"
    wave = bytearray(110)
    struct.pack_into(order + "H", wave, 0, 4)
    struct.pack_into("20s4x", wave, 6, b"decay")
    struct.pack_into("4s4s", wave, 34, b"V", b"s")
    struct.pack_into(order + "i", wave, 42, 64)
    struct.pack_into(order + "dd", wave, 48, 0.1, 2.0)
    struct.pack_into(order + "I", wave, 96, 3_600_000_000)
    return (
        struct.pack(order + "hiiih", 2, 110 + len(data) + 16, len(note), 0, 0) + bytes(wave) + data + bytes(16) + note
    )


def gwyddion() -> bytes:
    """One data field of 1 µm x 0.75 µm with heights in metres and its metadata."""

    def item(name: str, letter: str, content: bytes) -> bytes:
        return name.encode() + b"\0" + letter.encode() + content

    def thing(name: str, *items: bytes) -> bytes:
        body = b"".join(items)
        return name.encode() + b"\0" + struct.pack("<I", len(body)) + body

    def unit(text: str) -> bytes:
        return thing("GwySIUnit", item("unitstr", "s", text.encode() + b"\0"))

    field = thing(
        "GwyDataField",
        item("xres", "i", struct.pack("<i", 32)),
        item("yres", "i", struct.pack("<i", 24)),
        item("xreal", "d", struct.pack("<d", 1e-6)),
        item("yreal", "d", struct.pack("<d", 0.75e-6)),
        item("si_unit_xy", "o", unit("m")),
        item("si_unit_z", "o", unit("m")),
        item("data", "D", struct.pack("<I", PLANE.size) + (PLANE * 1e-9).astype("<f8").tobytes()),
    )
    meta = thing("GwyContainer", item("Sample", "s", b"grating\0"), item("Date", "s", b"2020-05-06 07:08:09\0"))
    return b"GWYP" + thing(
        "GwyContainer", item("/0/data", "o", field), item("/0/data/title", "s", b"Height\0"), item("/0/meta", "o", meta)
    )


def phi(*, points: int = 64) -> bytes:
    """A survey from 1100 eV down."""
    head = (
        "SOFH\r\nPlatform: PC\r\nTechnique: XPS\r\nFileDesc: (1, gold foil)\r\nInstrumentModel: VersaProbe II\r\nFileDate: 2019 3 7\r\n"
        f"AnalyserWorkFcn: 4.1 eV\r\nXrayPower: 50.1 W\r\nNoSpectralReg: 1\r\nSpectralRegDef: 1 1 Su1s 111 {points} -0.8000 1100.0000 0.0000 1099.0000 1.0000 0.12 117.40 AREA\r\nEOFH\r\n"
    ).encode()
    words = bytearray(24 * 4)
    struct.pack_into("<6I", words, 0, 1, 1, 1, 1, 1, points)
    struct.pack_into("4s", words, 56, b"c/s\0")
    struct.pack_into("4sII", words, 72, b"f4\0\0", 4 * points, 112)
    return head + struct.pack("<4I", 1, 1, 96, 16) + bytes(words) + np.resize(LINE, points).astype("<f4").tobytes()


def drs4(events: int = 3) -> bytes:
    """One board, two channels; the second generation of the format."""
    cells = np.full(1024, 0.2, "<f4").tobytes()
    out = b"DRS2TIMEB#" + struct.pack("<H", 2711) + b"C001" + cells + b"C002" + cells
    for event in range(events):
        out += (
            b"EHDR"
            + struct.pack("<I7Hh", event + 1, 2017, 1, 26, 15, 47, event, 616, 0)
            + b"B#"
            + struct.pack("<H", 2711)
            + b"T#"
            + struct.pack("<H", 7)
        )
        for name in (b"C001", b"C002"):
            out += name + struct.pack("<I", 0) + np.full(1024, 49152, "<u2").tobytes()
    return out


def archive(members: dict[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, content in members.items():
            whole.writestr(name, content)
    return stream.getvalue()


def rasx() -> bytes:
    """SmartLab: a profile with its conditions."""
    rows = "\n".join(f"{10 + 0.02 * index:.4f}\t{1000 * value:.1f}\t1" for index, value in enumerate(LINE))
    conditions = (
        '<?xml version="1.0"?><MeasurementConditions><GeneralInformation><SampleName>LaB6</SampleName><SystemName>SmartLab</SystemName></GeneralInformation>'
        "<ScanInformation><AxisName>TwoThetaTheta</AxisName><PositionUnit>deg</PositionUnit><IntensityUnit>counts</IntensityUnit>"
        '<StartTime>2021-02-03T04:05:06Z</StartTime><Speed Unit="deg/min">10</Speed></ScanInformation></MeasurementConditions>'
    )
    return archive({"root.xml": "<Root/>", "Data0/Profile0.txt": rows, "Data0/MesurementConditions0.xml": conditions})


def sxm(direction: str = "down") -> bytes:
    """A topography, forward and backward, 50 nm x 37.5 nm."""
    head = (
        ":NANONIS_VERSION:\n2\n:SCANIT_TYPE:\n              FLOAT            MSBFIRST\n:REC_DATE:\n 07.03.2019\n:REC_TIME:\n10:11:12\n:ACQ_TIME:\n       512.0\n"
        ":SCAN_PIXELS:\n       32       24\n:SCAN_TIME:\n             5.0E-1             5.0E-1\n:SCAN_OFFSET:\n             0.0E+0         0.0E+0\n:SCAN_RANGE:\n           5.000000E-8           3.750000E-8\n:SCAN_ANGLE:\n            0.000E+0\n"
        f":SCAN_DIR:\n{direction}\n:BIAS:\n            5.000E-1\n:Z-CONTROLLER:\n\tName\ton\tSetpoint\n\tlog Current\t1\t1.000E-10 A\n:COMMENT:\nAu(111)\n"
        ":Bias>Bias (V):\n500E-3\n:DATA_INFO:\n\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n\t14\tZ\tm\tboth\t1.0E+0\t0.0E+0\n\n:SCANIT_END:\n\n\n"
    ).encode()
    forward = PLANE if direction == "down" else PLANE[::-1]
    planes = np.stack([forward, forward[:, ::-1]]).astype(">f4")
    return head + b"\x1a\x04" + planes.tobytes()


def grid(done: int = 6) -> bytes:
    """3 x 2 spectra of 16 points from -1 V to 1 V; `done` of them are there."""
    head = (
        b'Grid dim="3 x 2"\r\nGrid settings=0E+0;0E+0;3E-9;2E-9;0E+0\r\nFiletype=Linear\r\nSweep Signal="Bias (V)"\r\nFixed parameters="Sweep Start;Sweep End"\r\n'
        b'Experiment parameters="X (m);Y (m)"\r\n# Parameters (4 byte)=4\r\nExperiment size (bytes)=128\r\nPoints=16\r\nChannels="Current (A);LIX 1 omega (A)"\r\n'
        b'Delay before measuring (s)=0E+0\r\nExperiment="Grid Spectroscopy"\r\nStart time="21.10.2014 16:48:06"\r\nEnd time="21.10.2014 16:58:06"\r\nUser=\r\nComment=\r\n:HEADER_END:\r\n'
    )
    point = np.concatenate([[-1, 1, 0, 0], np.linspace(-1e-9, 1e-9, 16), np.full(16, 2e-12)]).astype(">f4").tobytes()
    return head + bytes(point * done)


def nanoscope(width: int = 2) -> bytes:
    """A height image of 1 µm with 12 nm per volt."""
    offset = 4096
    lines = [
        "\\*File list", "\\Version: 0x09300103", "\\Date: 03:12:45 PM Fri Mar 12 2010", "\\*Scanner list", "\\@Sens. Zsens: V 12.0 nm/V", "\\*Ciao scan list",
        "\\Operating mode: Tapping", "\\Scan Rate: 0.997", "\\Scan Size: 1000 nm", "\\*Ciao image list", f"\\Data offset: {offset}", f"\\Data length: {24 * 32 * width}",
        f"\\Bytes/pixel: {width}", "\\Samps/line: 32", "\\Number of lines: 24", "\\Scan Size: 1000 750 nm", '\\@2:Image Data: S [Height] "Height Sensor"',
        "\\@2:Z scale: V [Sens. Zsens] (0.006713867 V/LSB) 440.0 V", "\\*File list end",
    ]  # fmt: skip
    head = ("\r\n".join(lines) + "\r\n\x1a").encode("cp1252")
    values: bytes = (PLANE * 2 ** (8 * width - 2)).astype(f"<i{width}").tobytes()
    return head.ljust(offset, b"\0") + values


def wdf(shape: tuple[int, int] = (1, 64), *, mapped: tuple[int, int] | None = None) -> bytes:
    """Raman spectra; with `mapped` (rows, columns) a map."""
    count, points = shape
    head = bytearray(512)
    struct.pack_into("<4sIQ", head, 0, b"WDF1", 1, 512)
    struct.pack_into("<I", head, 60, points)
    struct.pack_into("<QQ", head, 64, count, count)
    struct.pack_into("<III", head, 80, 3, 1, points)
    struct.pack_into("<24s4H", head, 96, b"WiRE", 5, 1, 0, 0)
    struct.pack_into("<II", head, 128, 3, 3 if mapped else 1)
    struct.pack_into("<QQ", head, 136, 132_500_000_000_000_000, 132_500_000_100_000_000)
    struct.pack_into("<If", head, 152, 6, 1e7 / 532)
    struct.pack_into("32s", head, 208, b"nobody")
    struct.pack_into("160s", head, 240, b"Silicon")

    def block(name: bytes, body: bytes) -> bytes:
        return struct.pack("<4sIQ", name, 1, len(body) + 16) + body

    shift = np.linspace(100, 1100, points)
    body = block(
        b"DATA", np.concatenate([LINE[:points] * (index + 1) for index in range(count)]).astype("<f4").tobytes()
    )
    body += block(b"XLST", struct.pack("<II", 1, 1) + shift.astype("<f4").tobytes())
    body += block(b"YLST", struct.pack("<IIf", 0, 0, 0))
    if mapped:
        body += block(b"WMAP", struct.pack("<II6f3I", 0, 0, -5, -4, 0, 1, 2, 0, mapped[1], mapped[0], 1))
    return bytes(head) + body


def spe2(frames: int = 1, rows: int = 1, *, suffix: bytes = b"") -> bytes:
    """WinSpec 2.5: unsigned 16 bits, calibrated from 500 nm on in steps of 0.5 nm."""
    head = bytearray(4100)
    struct.pack_into("<f", head, 10, 0.5)
    struct.pack_into("10s", head, 20, b"11Oct2010")
    struct.pack_into("<f", head, 36, -70.0)
    struct.pack_into("<H", head, 42, 64)
    struct.pack_into("<H", head, 108, 3)
    struct.pack_into("7s", head, 172, b"091011")
    struct.pack_into("80s", head, 200, b"a remark")
    struct.pack_into("<H", head, 656, rows)
    struct.pack_into("<i", head, 1446, frames)
    struct.pack_into("<f", head, 1992, 2.5)
    struct.pack_into("<I", head, 2996, 0x01234567)
    struct.pack_into("BxBB", head, 3098, 1, 3, 1)
    struct.pack_into("<6d", head, 3263, 499.5, 0.5, 0, 0, 0, 0)
    data = np.tile((LINE * 1000).astype("<u2"), frames * rows)
    return bytes(head) + data.tobytes() + suffix


def spe3() -> bytes:
    """LightField: one frame, its wavelengths in the XML behind the data."""
    data = spe2()
    head = bytearray(data[:4100])
    struct.pack_into("<f", head, 1992, 3.0)
    struct.pack_into("<Q", head, 678, len(data))
    wavelengths = ",".join(f"{700 + 0.1 * index:.3f}" for index in range(64))
    footer = (
        '<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009"><DataFormat><DataBlock type="Frame" count="1" pixelFormat="MonochromeUnsigned16" size="128" stride="128"><DataBlock type="Region" count="1" width="64" height="1" size="128" stride="128"/></DataBlock></DataFormat>'
        f"<Calibrations><WavelengthMapping><Wavelength>{wavelengths}</Wavelength></WavelengthMapping></Calibrations>"
        '<DataHistories><DataHistory><Origin created="2015-06-07T08:09:10.1234567+02:00"><Experiment><Camera model="PIXIS 100"/><ExposureTime>250</ExposureTime></Experiment></Origin></DataHistory></DataHistories></SpeFormat>'
    )
    return bytes(head) + data[4100:] + footer.encode()


def sif(frames: int = 2) -> bytes:
    """Solis: tracks of 64 pixels, wavelengths from 600 nm on."""
    head = "Andor Technology Multi-Channel File\n65538 1\n65559 0 0 1 1540956289 -60          0 0.1 0.2 0.2 1 \0 0.2 1e-06 0 1 1 0 0 0\niDus\n64 1\n5 \na.sif\n65538 0\n\n"
    head += (
        "65538 \x01 \0 \x01 \0 0 0\n"
        + "0\n" * 8
        + "0 SR303i 0\n65539 600 0.25 0 0\n0 1 0 0\n0 1 0 0\n532\n422\n13\n13\n"
    )
    head += f"10\nWavelength6\nCounts12\nPixel number65541 1 1 64 1 {frames} 1 {64 * frames} 64\n65538 1 1 64 1 1 1 0\n"
    head += "0\n" * frames
    return head.encode("latin-1") + np.tile(LINE, frames).astype("<f4").tobytes()


def spc(order: str = "<") -> bytes:
    """An infrared spectrum as 32-bit integers with an exponent, and its log."""
    head = bytearray(512)
    data = (LINE * 2.0**30).astype(order + "i4").tobytes()
    at = 512 + 32 + len(data)
    struct.pack_into("BBBb", head, 0, 0, 0x4B if order == "<" else 0x4C, 4, 1)
    struct.pack_into(order + "IddI", head, 4, 64, 4000.0, 400.0, 1)
    struct.pack_into("BB", head, 28, 1, 2)
    struct.pack_into(order + "I", head, 32, 2018 << 20 | 4 << 16 | 5 << 11 | 14 << 6 | 33)
    struct.pack_into("130s", head, 88, b"polystyrene film")
    struct.pack_into(order + "I", head, 248, at)
    text = b"RESOLUTION = 4\r\nDETECTOR = DTGS\r\n"
    log = struct.pack(order + "III", 64 + len(text), 4096, 64).ljust(64, b"\0") + text
    return bytes(head) + struct.pack("Bb30x", 0, 1) + data + log


def mpr(columns: tuple[int, ...] = (4, 6, 11), points: int = 20) -> bytes:
    """EC-Lab: cyclic voltammetry with time, potential and current."""

    def module(name: bytes, long_name: bytes, version: int, body: bytes) -> bytes:
        return b"MODULE" + struct.pack("<10s25sII8s", name, long_name, len(body), version, b"05/07/19") + body

    kinds = {4: "<f8", 6: "<f4", 11: "<f8"}
    record = np.zeros(points, np.dtype([(str(one), kinds.get(one, "<f4")) for one in columns]))
    for one in columns:
        record[str(one)] = np.linspace(0, 1, points)
    body = (struct.pack("<IB", points, len(columns)) + np.array(columns, "<u2").tobytes()).ljust(
        405, b"\0"
    ) + record.tobytes()
    log = bytearray(1000)
    struct.pack_into("<d", log, 465, 43592.5)
    return (
        b"BIO-LOGIC MODULAR FILE\x1a".ljust(48, b" ")
        + bytes(4)
        + module(b"VMP Set   ", b"VMP settings", 0, b"\x06" + bytes(99))
        + module(b"VMP data  ", b"VMP data", 2, body)
        + module(b"VMP LOG   ", b"VMP LOG", 0, bytes(log))
    )


def ptu(photons: int = 4000) -> bytes:
    """HydraHarp T3: photons that decay with 200 channels."""

    def tag(name: str, kind: int, value: bytes, extra: bytes = b"") -> bytes:
        return struct.pack("<32siI", name.encode(), -1, kind) + value + extra

    comment = b"rhodamine\0".ljust(16, b"\0")
    head = b"PQTTTR\0\0" + b"1.0.00\0\0"
    head += tag("File_CreatingTime", 0x21000008, struct.pack("<d", 43592.5))
    head += tag("File_Comment", 0x4001FFFF, struct.pack("<q", len(comment)), comment)
    head += tag("Measurement_Mode", 0x10000008, struct.pack("<q", 3))
    head += tag("MeasDesc_Resolution", 0x20000008, struct.pack("<d", 16e-12))
    head += tag("TTResultFormat_TTTRRecType", 0x10000008, struct.pack("<q", 0x00010304))
    head += tag("TTResult_NumberOfRecords", 0x10000008, struct.pack("<q", photons))
    head += tag("Header_End", 0xFFFF0008, bytes(8))
    delays = np.minimum(np.random.default_rng(1).exponential(200, photons), 4000).astype("<u4")
    return head + (delays << 10).astype("<u4").tobytes()


def raw1(magic: bytes = b"RAW ") -> bytes:
    """Bruker version 1: one range from 20 degrees on."""
    head = (
        magic
        + struct.pack("<IffIIff", 64, 1.5, 0.02, 0, 0, 20.0, -1e6)
        + struct.pack("<ff", 0, 0)
        + b"corundum".ljust(32, b"\0")
        + struct.pack("<ff", 1.5406, 1.54439)
    )
    return head + bytes(72) + struct.pack("<I", 0) + (LINE * 100).astype("<f4").tobytes()


def raw3() -> bytes:
    """Bruker version 3 (RAW1.01)."""
    head = bytearray(712)
    struct.pack_into("8sII10s10s", head, 0, b"RAW1.01\0", 1, 1, b"05/17/2018", b"10:11:12")
    struct.pack_into("60s160s", head, 326, b"quartz", b"a remark")
    struct.pack_into("4s", head, 608, b"Cu")
    struct.pack_into("<5d", head, 616, 1.5418, 1.5406, 1.54439, 1.39222, 0.5)
    block = bytearray(304)
    struct.pack_into("<IIdd", block, 0, 304, 64, 10.0, 20.0)
    struct.pack_into("<d", block, 176, 0.02)
    struct.pack_into("<f", block, 192, 2.0)
    return bytes(head) + bytes(block) + (LINE * 100).astype("<f4").tobytes()


def czi() -> bytes:
    """ZEN: the file's header and its metadata."""
    xml = (
        b"<ImageDocument><Metadata><Information><Document><Name>slice 3</Name><CreationDate>2019-03-07T10:11:12.1234567Z</CreationDate></Document>"
        b"<Image><SizeX>2048</SizeX><SizeY>1024</SizeY><SizeC>2</SizeC><PixelType>Gray16</PixelType><AcquisitionDateAndTime>2019-03-07T09:08:07Z</AcquisitionDateAndTime>"
        b'<Dimensions><Channels><Channel Id="Channel:0" Name="DAPI"><ContrastMethod>Fluorescence</ContrastMethod></Channel></Channels></Dimensions></Image>'
        b'<Instrument><Microscopes><Microscope Id="Microscope:1" Name="Axio Imager.Z2"/></Microscopes></Instrument></Information>'
        b'<Scaling><Items><Distance Id="X"><Value>3.45E-07</Value></Distance><Distance Id="Y"><Value>3.45E-07</Value></Distance></Items></Scaling></Metadata></ImageDocument>'
    )
    head = bytearray(32 + 512)
    struct.pack_into("<16sQQ", head, 0, b"ZISRAWFILE", 512, 512)
    struct.pack_into("<qqiq", head, 32 + 52, 0, len(head), 0, 0)
    return (
        bytes(head)
        + struct.pack("<16sQQ", b"ZISRAWMETADATA", 256 + len(xml), 256 + len(xml))
        + struct.pack("<ii", len(xml), 0).ljust(256, b"\0")
        + xml
    )


def fits() -> bytes:
    """A plane of 16-bit integers with exposure and time."""
    cards = [
        "SIMPLE  =                    T / conforms", "BITPIX  =                   16", "NAXIS   =                    2", "NAXIS1  =                   32",
        "NAXIS2  =                   24", "BZERO   =                32768", "BSCALE  =                    1", "OBJECT  = 'flat field'", "EXPTIME =                 12.5 / [s] exposure",
        "DATE-OBS= '2020-05-06T07:08:09.5'", "TELESCOP= 'XYZ     '", "INSTRUME= 'Cam     '", "END",
    ]  # fmt: skip
    head = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    return head + bytes((PLANE * 1000).astype(">i2").tobytes().ljust(2880, b"\0"))


def tdms(*, interleaved: bool = False) -> bytes:
    """LabVIEW: a group with two channels of doubles, a start and an increment."""

    def text(words: str) -> bytes:
        return struct.pack("<I", len(words.encode())) + words.encode()

    def prop(name: str, kind: int, value: bytes) -> bytes:
        return text(name) + struct.pack("<I", kind) + value

    index = struct.pack("<IIIQ", 20, 10, 1, 64)
    start = prop("wf_start_time", 0x44, struct.pack("<Qq", 0, 3_700_000_000))
    meta = struct.pack("<I", 4)
    meta += text("/") + struct.pack("<II", 0xFFFFFFFF, 1) + prop("name", 0x20, text("run 7"))
    meta += text("/'g'") + struct.pack("<II", 0xFFFFFFFF, 1) + prop("gain", 3, struct.pack("<i", 5))
    meta += (
        text("/'g'/'a'")
        + index
        + struct.pack("<I", 3)
        + prop("unit_string", 0x20, text("V"))
        + prop("wf_increment", 10, struct.pack("<d", 0.01))
        + start
    )
    meta += text("/'g'/'b'") + index + struct.pack("<I", 0)
    pair = np.stack([LINE, -LINE])
    raw = (pair.T if interleaved else pair).astype("<f8").tobytes()
    flags = 2 | 4 | 8 | (32 if interleaved else 0)
    return struct.pack("<4sIIQQ", b"TDSm", flags, 4713, len(meta) + len(raw), len(meta)) + meta + raw


def matlab(*, compressed: bool = False) -> bytes:
    """Version 5: a plane, a number and a text."""
    import zlib  # noqa: PLC0415 needed here only

    def element(kind: int, content: bytes) -> bytes:
        return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)

    def variable(name: str, group: int, shape: tuple[int, ...], kind: int, content: bytes) -> bytes:
        parts = (
            element(6, struct.pack("<II", group, 0))
            + element(5, struct.pack(f"<{len(shape)}i", *shape))
            + element(1, name.encode())
            + element(kind, content)
        )
        whole = element(14, parts)
        packed = zlib.compress(whole)
        return struct.pack("<II", 15, len(packed)) + packed if compressed else whole

    head = (
        b"MATLAB 5.0 MAT-file, Platform: PCWIN64, Created on: Tue Mar 05 10:11:12 2019".ljust(116)
        + bytes(8)
        + struct.pack("<H2s", 0x0100, b"IM")
    )
    out = head + variable("plane", 6, (24, 32), 9, PLANE.T.astype("<f8").tobytes())
    out += variable("gain", 6, (1, 1), 9, struct.pack("<d", 2.5))
    return out + variable("operator", 4, (1, 6), 16, b"nobody")


def npy() -> bytes:
    """An array as numpy saves it."""
    stream = io.BytesIO()
    np.save(stream, PLANE)
    return stream.getvalue()


def npz() -> bytes:
    """An archive of two arrays."""
    stream = io.BytesIO()
    np.savez_compressed(stream, plane=PLANE, line=LINE)
    return stream.getvalue()


def xrdml() -> bytes:
    """A scan of 64 points with a zone in its time."""
    counts = " ".join(f"{value:.0f}" for value in LINE * 1000)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed"><sample type="To be analyzed"><id>7</id><name>quartz</name></sample>'
        '<xrdMeasurement measurementType="Scan" status="Completed"><usedWavelength intended="K-Alpha 1"><kAlpha1 unit="Angstrom">1.5405980</kAlpha1></usedWavelength>'
        '<scan appendNumber="0" mode="Continuous" scanAxis="Gonio" status="Completed"><header><startTimeStamp>2021-03-16T13:10:14+03:00</startTimeStamp></header>'
        '<dataPoints><positions axis="2Theta" unit="deg"><startPosition>10</startPosition><endPosition>16.3</endPosition></positions>'
        '<positions axis="Omega" unit="deg"><startPosition>5</startPosition><endPosition>8.15</endPosition></positions>'
        f'<commonCountingTime unit="seconds">0.5</commonCountingTime><intensities unit="counts">{counts}</intensities></dataPoints></scan></xrdMeasurement></xrdMeasurements>'
    ).encode()


def brml() -> bytes:
    """DIFFRAC.SUITE: an older file that does not say what its numbers are."""
    rows = "".join(
        f"<Datum>1,1,{10 + 0.1 * index:.2f},{5 + 0.05 * index:.3f},{1000 * value:.0f}</Datum>"
        for index, value in enumerate(LINE)
    )
    raw = (
        '<?xml version="1.0"?><RawData><TimeStampStarted>2021-02-03T04:05:06.1234567+01:00</TimeStampStarted><DataRoutes><DataRoute RouteFlag="Measured">'
        '<ScanInformation VisibleName="Coupled"><MeasurementPoints>64</MeasurementPoints><TimePerStep>0.5</TimePerStep><ScanAxes>'
        '<ScanAxisInfo AxisName="TwoTheta" VisibleName="2Theta" Unit="°"><Start>10</Start><Stop>16.3</Stop><Increment>0.1</Increment></ScanAxisInfo>'
        '<ScanAxisInfo AxisName="Theta" VisibleName="Theta" Unit="°"><Start>5</Start><Stop>8.15</Stop><Increment>0.05</Increment></ScanAxisInfo></ScanAxes></ScanInformation>'
        f'{rows}</DataRoute></DataRoutes><FixedInformation><InfoItem Name="SampleName" Value="zeolite"/></FixedInformation></RawData>'
    )
    return archive(
        {
            "Experiment0/RawData0.xml": raw,
            "Experiment0/DataContainer.xml": "<DataContainer><InstrumentName>D8</InstrumentName></DataContainer>",
        }
    )


def phu() -> bytes:
    """Two histograms of 64 bins of 1 ns."""

    def tag(name: str, kind: int, value: bytes, index: int = -1) -> bytes:
        return struct.pack("<32siI", name.encode(), index, kind) + value

    tags = [tag("File_CreatingTime", 0x21000008, struct.pack("<d", 43592.5))]
    end = 16 + 48 * 8
    for index in range(2):
        tags.append(tag("HistResDscr_DataOffset", 0x10000008, struct.pack("<q", end + 256 * index), index))
        tags.append(tag("HistResDscr_HistogramBins", 0x10000008, struct.pack("<q", 64), index))
        tags.append(tag("HistResDscr_MDescResolution", 0x20000008, struct.pack("<d", 1e-9), index))
    tags.append(tag("Header_End", 0xFFFF0008, bytes(8)))
    return b"PQHISTO\0" + b"1.0.00\0\0" + b"".join(tags) + np.tile((LINE * 500).astype("<u4"), 2).tobytes()


def raw2() -> bytes:
    """Bruker version 2 (RAW2): one range."""
    head = bytearray(256)
    struct.pack_into("4sH", head, 0, b"RAW2", 1)
    struct.pack_into("20s2sfff", head, 168, b"17-May-2018 10:11:12", b"Cu", 1.5406, 1.54439, 0.5)
    struct.pack_into("<fff", head, 190, 1.5406, 1.54439, 0.5)
    block = bytearray(48)
    struct.pack_into("<HH4xfff", block, 0, 48, 64, 1.0, 0.02, 20.0)
    return bytes(head) + bytes(block) + (LINE * 100).astype("<f4").tobytes()


def spc_old() -> bytes:
    """Version 4D: 256 bytes of header, integers with their halves the other way round."""
    head = bytearray(256)
    struct.pack_into("<BBhfff", head, 0, 0, 0x4D, 1, 64.0, 4000.0, 400.0)
    struct.pack_into("<BBHBBBB", head, 16, 1, 2, 1996, 4, 5, 14, 33)
    struct.pack_into("130s", head, 64, b"an old film")
    whole = (LINE * 2.0**30).astype("<i4").view("<u2").reshape(-1, 2)[:, ::-1]
    return bytes(head) + np.ascontiguousarray(whole).tobytes().ljust(512, b"\0")


EVERY: Final[dict[str, tuple[str, Any]]] = {
    "igor5": ("a.ibw", igor5), "igor2": ("a.ibw", igor2), "gwyddion": ("a.gwy", gwyddion), "phi": ("a.spe", phi), "drs4": ("a.dat", drs4), "rasx": ("a.rasx", rasx),
    "sxm": ("a.sxm", sxm), "grid": ("a.3ds", grid), "nanoscope": ("a.spm", nanoscope), "wdf": ("a.wdf", wdf), "spe2": ("a.spe", spe2), "spe3": ("a.spe", spe3),
    "sif": ("a.sif", sif), "spc": ("a.spc", spc), "mpr": ("a.mpr", mpr), "ptu": ("a.ptu", ptu), "raw1": ("a.raw", raw1), "raw3": ("a.raw", raw3), "czi": ("a.czi", czi),
    "fits": ("a.fits", fits), "tdms": ("a.tdms", tdms), "matlab": ("a.mat", matlab), "npy": ("a.npy", npy), "npz": ("a.npz", npz), "xrdml": ("a.xrdml", xrdml),
    "brml": ("a.brml", brml), "phu": ("a.phu", phu), "raw2": ("a.raw", raw2), "spc_old": ("a.spc", spc_old),
}  # fmt: skip
"""A name and a writer for each family."""
