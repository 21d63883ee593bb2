"""Reads a published dataset with atdata's own reader: `python atdata_reader.py PDS DID @HANDLE/LABEL`. Run by atdata's environment.

Prints {path: sha256} of what it put together. The PDS's address goes into atdata's cache, because it asks plc.directory only.
"""

from __future__ import annotations

import hashlib
import json
import sys

import atdata
from atdata import atmosphere


def main() -> None:
    """Load, put the parts together, print."""
    pds, did, name = sys.argv[1:4]
    atmosphere._pds_endpoint_cache[did] = pds
    index = atdata.Index(atmosphere=atmosphere.Atmosphere(base_url=pds))
    back: dict[str, bytes] = {}
    for sample in atdata.load_dataset(name, split="train", index=index).ordered():
        back[sample.path] = back.get(sample.path, b"") + bytes(sample.data)
    sys.stdout.write(json.dumps({path: hashlib.sha256(data).hexdigest() for path, data in back.items()}) + "\n")


if __name__ == "__main__":
    main()
