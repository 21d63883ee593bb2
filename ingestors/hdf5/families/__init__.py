"""Kinds of HDF5 files that are known by their structure. The first that recognises a file reads it."""

from __future__ import annotations

from typing import Final

from ingestors.hdf5.families import (
    afm,
    cxi,
    damnit,
    data_exchange,
    ebsd,
    emd,
    hyperspy,
    igor,
    imaris,
    labber,
    matlab,
    netcdf,
    usid,
    velox,
)

FAMILIES: Final = (
    velox.FAMILY,
    emd.FAMILY,
    data_exchange.FAMILY,
    cxi.FAMILY,
    damnit.FAMILY,
    ebsd.FAMILY,
    hyperspy.FAMILY,
    imaris.FAMILY,
    afm.FAMILY,
    igor.FAMILY,
    labber.FAMILY,
    usid.FAMILY,
    matlab.FAMILY,
    netcdf.FAMILY,
)
