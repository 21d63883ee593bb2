"""Any HDF5 file, NeXus understood."""

from ingestors.hdf5.ingestor import HDF5

__all__ = ["HDF5"]
