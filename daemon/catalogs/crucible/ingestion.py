"""Whether a file is worth an ingestion request: which of a Crucible server's ingestors take a name like this.

The server picks an ingestor by the file's name and ends in `not supported` if none takes it; the table is that of
crucible-ingestion (`ingestors/registry.py` and the classes' `is_file_supported`), reduced to suffixes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

Policy = Literal["auto", "requested", "not_requested"]

ONGOING: Final = ("requested", "started")
"""The states of a request that the server still works on (nano-crucible 3.3.0, `ingestions.wait`)."""

SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "AFMIngestor": (".ibw",),
    "BcfIngestor": (".bcf",),
    "BerkeleyEmdIngestor": (".emd",),
    "BiologicMptIngestor": (".mpt",),
    "CziIngestor": (".czi",),
    "DigitalMicrographIngestor": (".dm3", ".dm4"),
    "EmiIngestor": (".emi",),
    "H5Ingestor": (".h5",),
    "ImageIngestor": (".png", ".jpg", ".jpeg"),
    "MrcIngestor": (".mrc",),
    "PtychographyH5Ingestor": ("_master.h5",),
    "RawtltIngestor": (".rawtlt",),
    "SerIngestor": (".ser",),
    "TifIngestor": (".tif", ".tiff"),
    "VeloxEmdIngestor": (".emd",),
}
"""The generic classes and those of one format. The many ScopeFoundry classes take names that H5Ingestor takes too."""


def status_for(policy: Policy, name: str, server_classes: Collection[str]) -> Literal["requested", "not_requested"]:
    """The status to ask for: as the policy says; with `auto`, `requested` if one of the server's classes takes the name."""
    if policy != "auto":
        return policy
    lowered = name.lower()
    taken = any(lowered.endswith(SUFFIXES.get(server_class, ())) for server_class in server_classes)
    return "requested" if taken else "not_requested"
