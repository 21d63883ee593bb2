"""Any file at all: its name, size and what kind of file its first bytes say it is. The last resort: it always succeeds."""

from __future__ import annotations

from typing import Final

from ingestors.api import Candidate, Claim, Extraction, Quantity, Specificity, display_name

# (offset, bytes, what it is). Sources: the formats' own documentation, and the file(1) database where there is none.
MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (512, b"\x89HDF\r\n\x1a\n", "HDF5 behind a user block"),
    (1024, b"\x89HDF\r\n\x1a\n", "HDF5 behind a user block"),
    (2048, b"\x89HDF\r\n\x1a\n", "HDF5 behind a user block"),
    (0, b"\x0e\x03\x13\x01", "HDF4"),
    (0, b"CDF\x01", "netCDF classic"),
    (0, b"CDF\x02", "netCDF classic"),
    (0, b"DRS2TIME", "DRS4 waveform board"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE2 compound file (EZChrom, Origin, old Office)"),
    (0, b"\x00\x72\x47\x00", "Agilent FTIR focal-plane array tile"),
    (0, b"TDSm", "National Instruments TDMS"),
    (0, b"GWYP", "Gwyddion"),
    (0, b"BIO-LOGIC MODULAR FILE\x1a", "BioLogic EC-Lab .mpr"),
    (0, b"SOFH\r\n", "PHI MultiPak .spe"),
    (0, b"\x00\x00\x00\x03", "Gatan DM3"),
    (0, b"\x00\x00\x00\x04", "Gatan DM4"),
    (0, b"ZISRAWFILE", "Zeiss CZI"),
    (0, b"II\x97\x01", "Emispec/FEI TIA .ser"),
    (0, b"WDF1", "Renishaw WiRE"),
    (0, b"PQTTTR", "PicoQuant photon records"),
    (0, b"Andor Technology Multi-Channel File", "Andor SIF"),
    (0, b"IMGBLO", "NanoMegas block file"),
    (0, b"AAMVHFSS", "Bruker composite file"),
    (0, b"DIGITAL SURF", "Digital Surf"),
    (0, b"DSCOMPRESSED", "Digital Surf"),
    (0, b"###CBF: VERSION", "Crystallographic binary file"),
    (208, b"MAP ", "MRC"),
    (0, b"CPKA", "Origin .opj"),
    (0, b"NB0", "Nanonis binary"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"MATLAB 5.0 MAT-file", "MATLAB"),
    (0, b"SIMPLE  =", "FITS"),
    (0, b"SQLite format 3\x00", "SQLite database"),
    (0, b"II+\x00", "BigTIFF"),
    (0, b"MM\x00+", "BigTIFF"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "Windows bitmap"),
    (8, b"AVI ", "AVI video"),
    (4, b"ftyp", "MP4 or QuickTime video"),
    (0, b"PK\x03\x04", "ZIP archive"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (257, b"ustar", "tar archive"),
    (0, b"%PDF-", "PDF"),
    (0, b"<?xml", "XML"),
    (0, b"\xef\xbb\xbf<?xml", "XML"),
    (0, b"{\\rtf", "RTF"),
)
_IGOR_VERSIONS: Final = (1, 2, 3, 5)
_CONTROL: Final = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a\x1b"))
_PROBE: Final = 4096


class Fallback:
    """Claims every file with the lowest specificity."""

    name = "fallback"
    version = "1"

    def claim(self, candidate: Candidate) -> Claim | None:
        """Any file at all."""
        del candidate
        return Claim(Specificity.FALLBACK, "any file")

    def extract(self, candidate: Candidate) -> Extraction:
        """The name, the suffix as the format, the size in bytes, and the kind of file. No time: the daemon knows mtime."""
        attributes = {"dataset_name": candidate.stem}
        if len(candidate.suffix) > 1:
            attributes["data_format"] = display_name(candidate.suffix.removeprefix("."))
        try:
            facts = {"size": Quantity(candidate.size, "B"), "kind": kind_of(candidate.head, candidate.suffix)}
        except OSError as error:
            return Extraction(attributes, warnings=(f"The file cannot be read: {error.strerror or error}.",))
        return Extraction(attributes, {"file": facts})


def kind_of(head: bytes, suffix: str = "") -> str:
    """What the first bytes say: a known signature, else text, else unknown binary. A hint for a person, not a claim."""
    if not head:
        return "empty"
    for offset, magic, kind in MAGIC:
        if head.startswith(magic, offset):
            return kind
    if suffix == ".ibw" and (
        head[0] in _IGOR_VERSIONS or head[1:2] in {bytes([version]) for version in _IGOR_VERSIONS}
    ):
        return "Igor binary wave"
    return "text" if _is_text(head[:_PROBE]) else "unknown binary"


def _is_text(head: bytes) -> bool:
    """No NUL (but for UTF-16 with its mark) and hardly any other control character."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    control = len(head) - len(head.translate(None, _CONTROL))
    return b"\x00" not in head and control * 100 <= len(head)
