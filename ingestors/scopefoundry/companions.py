"""Files beside a ScopeFoundry file that say whose they are.

Source: ScopeFoundry's `dataset_metadata`: pictures that it saves beside the data carry the PNG text `Description`, the
id of the dataset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PIL import Image as Pillow

from ingestors.api import display_name
from ingestors.scopefoundry.layout import is_mfid

if TYPE_CHECKING:
    from pathlib import Path

    from ingestors.api import Candidate

_MOST: Final = 50


def contradictions(candidate: Candidate, unique_id: str) -> list[str]:
    """A sentence for pictures beside the file whose own text names another dataset."""
    if not unique_id:
        return []
    named = ((path, _named_id(path)) for path in candidate.companions[:_MOST] if path.suffix.lower() == ".png")
    others = [display_name(path.name) for path, other in named if other and other != unique_id]
    return (
        [f"Named after this file, but of another dataset by its own text: {', '.join(others[:4])}."] if others else []
    )


def _named_id(path: Path) -> str:
    """The id in a PNG's text, empty if it has none or is no PNG."""
    try:
        with Pillow.open(path, formats=("PNG",)) as image:
            text = str(getattr(image, "text", {}).get("Description", "")).strip()
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return ""
    return text if is_mfid(text) else ""
