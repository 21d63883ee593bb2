"""One picture of many: the contact sheet of a session, drawn by a process of its own."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from daemon.extract.outcome import ThumbnailImage, png_size

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PICTURES: Final = 25
CAPTION: Final = "contact sheet"
_SECONDS: Final = 30.0
_LENGTH: Final = struct.Struct("!I")


def contact_sheet(pictures: Sequence[bytes]) -> ThumbnailImage | None:
    """The sheet, or None if none can be drawn: a session does without it."""
    framed = b"".join(_LENGTH.pack(len(png)) + png for png in pictures[:MOST_PICTURES])
    importable = os.pathsep.join(dict.fromkeys(path for path in sys.path if path))
    try:
        drawn = subprocess.run(
            [sys.executable, "-P", "-m", "ingestors.contactsheet"],
            input=framed,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
            env={"PYTHONPATH": importable, "PATH": os.environ.get("PATH", "")},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    size = png_size(drawn.stdout)
    return None if size is None else ThumbnailImage(CAPTION, drawn.stdout, *size)
