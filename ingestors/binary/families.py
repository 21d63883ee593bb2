"""The kinds of binary files, in the order in which they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestors.binary import (
    andor,
    biologic,
    brml,
    bruker_raw,
    czi,
    drs4,
    fcs,
    fits,
    galactic,
    gsf,
    gwyddion,
    igor,
    igor_packed,
    jpk,
    matlab,
    matlab4,
    nanonis,
    netcdf3,
    numpy_arrays,
    omnic,
    opus,
    perkinelmer,
    phi,
    picoquant,
    princeton,
    renishaw,
    rigaku,
    tdms,
    veeco,
    wsxm,
    xrdml,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingestors.api import Candidate
    from ingestors.binary.source import Source
    from ingestors.dat.reading import Reading


@dataclass(frozen=True)
class Family:
    """A kind of binary file.

    `recognises` gets the candidate and answers with the tell-tale in a few words, or None; `read` raises UnreadableError
    if the file is not what it looked like.
    """

    name: str
    recognises: Callable[[Candidate], str | None]
    read: Callable[[Source, Candidate], Reading]


FAMILIES: Final = (
    Family("DRS4 board", drs4.recognises, drs4.read),
    Family("Gwyddion", gwyddion.recognises, gwyddion.read),
    Family("PHI MultiPak", phi.recognises, phi.read),
    Family("Bruker BRML", brml.recognises, brml.read),
    Family("PANalytical XRDML", xrdml.recognises, xrdml.read),
    Family("Rigaku RASX", rigaku.recognises, rigaku.read),
    Family("JPK force", jpk.recognises, jpk.read),
    Family("Gwyddion simple field", gsf.recognises, gsf.read),
    Family("WSxM", wsxm.recognises, wsxm.read),
    Family("Nanonis image", nanonis.recognises_image, nanonis.read_image),
    Family("Nanonis grid", nanonis.recognises_grid, nanonis.read_grid),
    Family("NanoScope", veeco.recognises, veeco.read),
    Family("Bruker OPUS", opus.recognises, opus.read),
    Family("PerkinElmer", perkinelmer.recognises, perkinelmer.read),
    Family("Thermo OMNIC", omnic.recognises, omnic.read),
    Family("Renishaw WiRE", renishaw.recognises, renishaw.read),
    Family("Andor SIF", andor.recognises, andor.read),
    Family("BioLogic EC-Lab", biologic.recognises, biologic.read),
    Family("PicoQuant", picoquant.recognises, picoquant.read),
    Family("TDMS", tdms.recognises, tdms.read),
    Family("FITS", fits.recognises, fits.read),
    Family("netCDF", netcdf3.recognises, netcdf3.read),
    Family("Flow cytometry", fcs.recognises, fcs.read),
    Family("MATLAB", matlab.recognises, matlab.read),
    Family("NumPy", numpy_arrays.recognises, numpy_arrays.read),
    Family("NumPy archive", numpy_arrays.recognises_archive, numpy_arrays.read_archive),
    Family("Zeiss CZI", czi.recognises, czi.read),
    Family("Bruker RAW", bruker_raw.recognises, bruker_raw.read),
    Family("Galactic SPC", galactic.recognises, galactic.read),
    Family("Princeton SPE", princeton.recognises, princeton.read),
    Family("Igor packed experiment", igor_packed.recognises, igor_packed.read),
    Family("Igor binary wave", igor.recognises, igor.read),
    Family("MATLAB 4", matlab4.recognises, matlab4.read),
)
