"""What rosettasciio tells in its second way: not as metadata, but as a list of where in the original metadata the facts stand.

Source: rosettasciio's manual, "Interfacing with rosettasciio": `mapping` has paths in `original_metadata` as keys, and as values the path in the metadata
with a function that converts the value, or None.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ingestors.dat import dates

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS: Final = datetime(1601, 1, 1, tzinfo=UTC)
_NEAR: Final = timedelta(days=2)  # a zone away, and the time between the picture and its saving


def plain(value: Any) -> dict[str, Any]:
    """Rosettasciio's own kind of nested dictionary, or a plain one, as a plain one."""
    found = value.as_dictionary() if hasattr(value, "as_dictionary") else value
    return found if isinstance(found, dict) else {}


def mapped(one: Mapping[str, Any]) -> dict[str, Any]:
    """A signal's metadata with those that its mapping finds in the original ones; what stands there already stays."""
    metadata = _copied(plain(one.get("metadata")))
    original = plain(one.get("original_metadata"))
    for path, (target, convert) in (one.get("mapping") or {}).items():
        value = at(original, path)
        if value in (None, "", [], {}):
            continue
        try:
            value = value if convert is None else convert(value)
        except Exception:  # noqa: BLE001, S112 a stranger's function on a stranger's value: then this one fact is not known
            continue
        if value not in (None, "", [], {}):
            _set(metadata, target.split("."), value)
    return metadata


def at(tree: Any, path: str) -> Any:
    """The value at a path with dots; None if it is not there."""
    for name in path.split("."):
        if not isinstance(tree, dict) or name not in tree:
            return None
        tree = tree[name]
    return tree


def gatan_moment(original: Mapping[str, Any]) -> dates.Moment | None:
    """When DigitalMicrograph acquired an image; None if it does not say.

    Its date is in the order of the computer's country: the microscope's own stamp with the month's name decides it, or Windows' count of time beside it.
    """
    for name in ("TagGroup0", "TagGroup1"):
        tags = at(plain(original), f"ImageList.{name}.ImageTags")
        day, clock = (str(at(tags, f"DataBar.Acquisition {word}") or "").strip() for word in ("Date", "Time"))
        if not day:
            continue
        written = re.sub(r"([ap])\.\s?m\.", r"\1m", f"{day} {clock}".strip())
        near = _by_count(at(tags, "DataBar.Acquisition Time (OS)")) or _by_name(
            str(at(tags, "DigiScan.TimeStamp") or "")
        )
        read = [dates.parse(written, order) for order in (dates.US, dates.EUROPEAN)]
        fitting = [one for one in read if one.iso and near is not None and abs(_day(one.iso) - near) <= _NEAR]
        return fitting[0] if fitting else dates.undecided(written)
    return None


def microscope(original: Mapping[str, Any]) -> str:
    """The microscope's name where DigitalMicrograph keeps it."""
    tags = at(plain(original), "ImageList.TagGroup0.ImageTags") or at(plain(original), "ImageList.TagGroup1.ImageTags")
    found = (
        at(tags, path) for path in ("Session Info.Microscope", "Microscope Info.Name", "Microscope Info.Microscope")
    )
    return next((text.strip() for text in found if isinstance(text, str) and text.strip()), "")


def _day(iso: str) -> datetime:
    return datetime.fromisoformat(iso[:10]).replace(tzinfo=UTC)


def _by_count(ticks: Any) -> datetime | None:
    """Windows' FILETIME."""
    if not isinstance(ticks, (int, float)) or not 1e17 < ticks < 2e17:
        return None
    return _WINDOWS + timedelta(microseconds=ticks / 10)


def _by_name(text: str) -> datetime | None:
    """`Mon Aug 08 16:26:20 2016`."""
    match = re.search(r"([A-Z][a-z]{2}) +(\d{1,2}) \d\d:\d\d:\d\d (\d{4})", text)
    when = dates.parse(f"{match[1]} {match[2]} {match[3]}", ("%b %d %Y",)) if match else dates.NEVER
    return _day(when.iso) if when.iso else None


def _copied(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in tree.items()}


def _set(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = tree.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        tree = inner
    tree.setdefault(path[-1], value)
