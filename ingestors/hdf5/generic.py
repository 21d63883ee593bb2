"""What any HDF5 file may say about itself in attributes and small datasets, whatever its program calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Quantity, Sample
from ingestors.dat import facts
from ingestors.hdf5.told import Told, moment, orcid, title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestors.hdf5.told import Source

_DEEPEST: Final = 5
_AFTERWARDS: Final = ("process", "history", "software", "program", "datasets", "labferry")
"""Groups that tell about what was done with the data later."""
_MOST: Final = 2000
_THINGS: Final = {
    "sample": "sample name",
    "specimen": "sample name",
    "instrument": "instrument name",
    "microscope": "instrument name",
    "spectrometer": "instrument name",
    "beamline": "instrument name",
    "user": "user name",
    "operator": "user name",
}
_TIMES: Final = (
    "start_time", "starttime", "time_start", "t_start", "start", "acquisition_start", "acquisition_time_start", "timestamp",
    "time_stamp", "datetime", "date_time", "date", "measurement_date", "acquisition_date", "created", "creation_time",
    "creation_date", "created_at", "created_on", "session_start_time", "run_start", "run_timestamp", "recordingdate", "recording_date",
    "epoch", "time", "unix_time", "file_time", "saved",
)  # fmt: skip
_MEASUREMENTS: Final = (
    "measurement", "measurement type", "technique", "experiment type", "experimental technique", "method", "modality",
    "measurement name", "scan mode", "experiment",
)  # fmt: skip
_TITLES: Final = ("title", "scan title", "experiment title", "measurement title", "dataset name", "dataset title")
_LONGEST: Final = 80


def fields(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The short values of a file's tree by their own name, the highest first; a thing's `name` by what it is of."""
    found: dict[str, Any] = {}
    for key, value in _walk(tree):
        found.setdefault(key, value)
    return found


def _walk(tree: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    level: list[tuple[str, Mapping[str, Any]]] = [("", tree)]
    left = _MOST
    for _ in range(_DEEPEST):
        following: list[tuple[str, Mapping[str, Any]]] = []
        for name, group in level:
            for key, value in group.items():
                left -= 1
                if left < 0:
                    return
                if isinstance(value, Mapping):
                    if not any(word in key.casefold() for word in _AFTERWARDS):
                        following.append((key, value))
                elif isinstance(value, (str, int, float, Quantity)) and not (
                    isinstance(value, str) and _is_link(value)
                ):
                    thing = next((word for word in _THINGS if word in name.casefold()), "")
                    if thing and key.casefold() in {"name", "id", "title", "label"}:
                        yield _THINGS[thing], value
                    yield key, value
        level = following


def _is_link(text: str) -> bool:
    """Whether the tree only says where the value stands: `-> /entry/title`."""
    return text.startswith("-> /")


def read(source: Source) -> Told:
    """Title, sample, instrument, time and technique, as far as names that everybody uses tell them."""
    known = fields(source.tree)
    started, warnings = _time(known)
    own = {key: value for key, value in known.items() if key.casefold() != "probe"}  # radiation or a tip, not German
    sample = title(facts.sample_of(own))
    technique = facts.said(known, _MEASUREMENTS)
    return Told(
        attributes={
            "dataset_name": title(facts.said(known, _TITLES)) or source.stem,
            "measurement": technique if len(technique) <= _LONGEST and not technique.isdigit() else "",
            "data_type": "HDF5 file",
            "instrument_name": facts.instrument_of(known)[:_LONGEST],
            "timestamp": started,
            "owner_orcid": orcid(facts.said(known, ("orcid", "owner orcid", "user orcid", "orcid id"))),
        },
        samples=[Sample(sample)] if sample and len(sample) <= _LONGEST else [],
        warnings=warnings,
    )


def _time(known: Mapping[str, Any]) -> tuple[str, list[str]]:
    plain = {key.casefold().replace(" ", "_").replace("-", "_"): value for key, value in reversed(list(known.items()))}
    said: list[str] = []
    for name in _TIMES:
        value = plain.get(name)
        number = value.value if isinstance(value, Quantity) else value
        if number is None or (isinstance(number, str) and not any(letter.isdigit() for letter in number)):
            continue
        found = moment(number)
        if found.iso:
            clock = plain.get("time")
            joined = (
                moment(f"{found.iso}T{clock.strip()}").iso if "T" not in found.iso and isinstance(clock, str) else ""
            )
            return joined or found.iso, list(found.warnings)
        said += found.warnings if isinstance(number, str) and name not in {"time", "start", "epoch"} else []
    found = facts.time_of({key: value for key, value in known.items() if isinstance(value, str)})
    return (found.iso, list(found.warnings)) if found.iso else ("", said[:1])
