"""A dataset record in Crucible's words, and what a later revision or an existing record means for it. Pure.

Source: nano-crucible 3.3.0, `models.py` and `resources/datasets.py`. Some fields are set by routes of their own, and
a project or an owner is not changed by a program at all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from daemon.mfid import is_mfid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import DatasetRecord

PATCHABLE: Final = ("dataset_name", "measurement", "data_type", "session_name", "data_format", "timestamp")
_TEXTS: Final = (
    "dataset_name",
    "project_id",
    "instrument_id",
    "measurement",
    "data_type",
    "session_name",
    "data_format",
    "timestamp",
)
_MFIDS: Final = {"project_id": "project_mfid", "instrument_id": "instrument_mfid"}
_SAME: Final = ("project_id", "project_mfid", "instrument_id", "instrument_mfid", "timestamp")
_LEFT: Final = {
    "project_mfid": "a dataset's project is changed by a person in the catalog",
    "project_id": "a dataset's project is changed by a person in the catalog",
    "owner": "a dataset's owner is changed by a person in the catalog",
}


def dataset_body(record: DatasetRecord) -> dict[str, Any]:
    """The body of `POST /datasets`: the fields that are known, `public` always, texts as texts."""
    body: dict[str, Any] = {"unique_id": record.unique_id, "public": record.value("public") is True}
    for name in _TEXTS:
        text = _text(record.value(name))
        if text:
            body[_MFIDS[name] if name in _MFIDS and is_mfid(text) else name] = text
    owner = _text(record.value("owner_orcid"))
    if owner:
        body["owner"] = owner
    return body


def linked_samples(record: DatasetRecord) -> list[str]:
    """The ids of the samples that can be linked: Crucible knows samples by id only. A child's are linked to the child."""
    own = [sample.unique_id for sample in record.samples if sample.unique_id is not None and not sample.in_child]
    return list(dict.fromkeys(unique_id for unique_id in own if is_mfid(unique_id)))


def named_samples(record: DatasetRecord) -> list[str]:
    """The samples of which only a name is known: whether Crucible knows one of this name is asked there."""
    own = [sample.name.strip() for sample in record.samples if sample.unique_id is None and not sample.in_child]
    return list(dict.fromkeys(name for name in own if name))


def left_out(record: DatasetRecord) -> dict[str, str]:
    """What of the record does not go to Crucible, with the reason."""
    return {
        f"sample {sample.name}": "its id is none of the catalog's"
        for sample in record.samples
        if sample.unique_id and not is_mfid(sample.unique_id)
    }


def changes(body: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of a later revision that differ from what we sent before, and those that are left, with the reason.

    Compared with what we sent and not with what the catalog holds, so a person's correction there stays.
    """
    differing = {name: value for name, value in body.items() if name != "unique_id" and sent.get(name) != value}
    left = {name: _LEFT[name] for name in differing if name in _LEFT}
    return {name: value for name, value in differing.items() if name not in _LEFT}, left


def corrected(changed: Mapping[str, Any], sent: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """Those of the changed fields that a person changed in the catalog after we sent them."""
    return [
        name
        for name in changed
        if isinstance(sent.get(name), str)
        and isinstance(there.get(name), str)
        and not _agree(name, str(sent[name]), str(there[name]))
    ]


def contradictions(body: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """The fields that say that the catalog's record of this id is another dataset than ours."""
    found = []
    for name in _SAME:
        ours, theirs = body.get(name), there.get(name)
        if ours and isinstance(theirs, str) and theirs and not _agree(name, ours, theirs):
            found.append(f"{name} is {theirs} there and {ours} here")
    return found


def open_fields(body: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that we know and an existing record lacks."""
    return {name: body[name] for name in PATCHABLE if name in body and not there.get(name)}


def _agree(name: str, ours: str, theirs: str) -> bool:
    if ours.casefold() == theirs.casefold():
        return True
    if name != "timestamp":
        return False
    try:
        here, there = datetime.fromisoformat(ours), datetime.fromisoformat(theirs)
    except ValueError:
        return True  # written in another way; nothing can be concluded
    if (here.tzinfo is None) != (there.tzinfo is None):
        return True
    return abs(_aware(here) - _aware(there)).total_seconds() < 1.0


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return str(value)
