"""A dataset record in SciCat's words: the configured fields, the files' places, and every rule looked at beforehand. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from daemon import scicat_rules
from daemon.catalogs.scicat.files import Placement, changed_at, common_folder, own_path, safe_segment
from daemon.catalogs.scicat.metadata import cleaned
from daemon.errors import CatalogRefused
from daemon.placeholders import Template
from ingestors.api import display_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.model import DatasetRecord
    from daemon.scicat_settings import SciCatCatalog

INGEST_KEY: Final = "ingest_key"
NAMES: Final = "labferry_names"
"""Where a file's path and labferry's name for it differ: two files of the same name, or a rewritten one."""
WAITING: Final = "filesNotYetAvailable"
CREATED: Final = "datasetCreated"
"""The status messages with which SciCat's own command line marks datasets whose files are (not) there yet."""

_PIDS: Final = UUID("6f0c7d0e-2c5b-5d0e-9b0a-6d1f3c0a4b52")
_MOST_NAMES: Final = 5000
_DERIVED: Final = frozenset({"processed", "derived", "reduced", "analysed", "analyzed"})
KNOWN_TYPES: Final = _DERIVED | {"raw"}
"""The dataset types that mean something in every SciCat, whatever their capitals."""

_PLAIN_TEXTS: Final = (
    "instrumentGroup", "ownerEmail", "orcidOfOwner", "description", "comment", "sourceFolderHost", "creationLocation",
    "dataFormat", "runNumber", "license", "classification",
)  # fmt: skip
_REQUIRED_TEXTS: Final = ("ownerGroup", "owner", "contactEmail", "datasetName", "type", "sourceFolder")
_LISTS: Final = ("accessGroups", "principalInvestigators", "proposalIds", "sampleIds")
_ADVICE: Final = "Correct `dataset:` of the catalog in the YAML file, or the dataset's attributes, then retry."


class RecordMapping:
    """What one configuration makes of records. `roots` are the instrument's folders, `software` names this program."""

    def __init__(self, settings: SciCatCatalog, instrument: str, roots: Sequence[str], software: str) -> None:
        self._settings = settings
        self._instrument = instrument
        self._roots = tuple(roots)
        self._software = software
        fields = settings.dataset
        self._texts = {
            name: Template.parse(text) for name in (*_REQUIRED_TEXTS, *_PLAIN_TEXTS) if (text := getattr(fields, name))
        }
        self._lists = {name: [Template.parse(text) for text in getattr(fields, name)] for name in _LISTS}
        self._instrument_template = Template.parse(fields.instrument) if fields.instrument else None
        self._layout = [Template.parse(part) for part in settings.transfer.layout.split("/")]

    def placement(self, record: DatasetRecord, base: str | None = None) -> Placement:
        """Where the files are, or will be. Raises CatalogRefused."""
        problems: list[str] = []
        placement = self._placed(record, self._values(record), problems, base)
        self._refuse(record, problems)
        return placement

    def body(self, record: DatasetRecord, base: str | None = None) -> dict[str, Any]:
        """Everything of the body of `POST /v4/datasets` that depends on the record alone. Raises CatalogRefused."""
        problems: list[str] = []
        values = self._values(record)
        placement = self._placed(record, values, problems, base)
        values["folder"] = placement.folder
        body = {**self._filled(values, problems), **self._times(record), **self._described(record, placement)}
        problems += scicat_rules.problems(body) if not problems else []
        if len(json.dumps(body).encode()) > scicat_rules.LARGEST_BODY:
            problems.append("scientificMetadata: is larger than the 15 MB that SciCat takes")
        self._refuse(record, problems)
        return body

    def instrument(self, record: DatasetRecord) -> str | None:
        """What the instrument is called that has to be looked up."""
        return None if self._instrument_template is None else self._instrument_template.fill(self._values(record))

    def owner_group(self, record: DatasetRecord) -> str:
        """The group that owns the dataset and its attachments."""
        return self._texts["ownerGroup"].fill(self._values(record)) or ""

    def delayed(self, record: DatasetRecord) -> bool:
        """Whether the archive has to wait for the files."""
        moved = self._settings.transfer.mode != "in-place" and bool(record.files)
        return moved and self._settings.dataset.datasetlifecycle.archivable == "when complete"

    def _values(self, record: DatasetRecord) -> dict[str, Any]:
        """What templates may use."""
        values = {name: attribute.value for name, attribute in record.attributes.items()}
        return {
            **values,
            "keywords": list(record.keywords),
            "samples": list(dict.fromkeys(sample.name or sample.unique_id or "" for sample in record.samples)),
            "metadata": record.scientific_metadata,
            "unique_id": record.unique_id,
            "instrument": self._instrument,
            "ingestor": record.ingestor,
            "file": record.files[0].name if record.files else "",
        }

    def _filled(self, values: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, template in self._texts.items():
            text = _fill(name, template, values, problems, needed=name in _REQUIRED_TEXTS)
            if text:
                body[name] = text
        for name, templates in self._lists.items():
            texts = [text.strip() for template in templates for text in _fill_all(name, template, values, problems)]
            listed = [text for text in dict.fromkeys(texts) if text]
            if listed or name == "accessGroups":
                body[name] = listed
        if body.get("type", "").lower() in _DERIVED:
            body["type"] = "derived"
        elif body.get("type", "").lower() == "raw":
            body["type"] = "raw"
        published = self._settings.dataset.isPublished
        body["isPublished"] = values.get("public") is True if published is None else published
        return body

    def _described(self, record: DatasetRecord, placement: Placement) -> dict[str, Any]:
        """Keywords, techniques, software and metadata."""
        names = [[path, name] for name, path in placement.names.items() if path.rpartition("/")[2] != name][
            :_MOST_NAMES
        ]
        measurement = str(record.value("measurement") or "").strip()
        known = {name.casefold(): technique for name, technique in self._settings.dataset.techniques.items()}
        technique = known.get(measurement.casefold()) or known.get("*")
        metadata, notes = cleaned(record.scientific_metadata)
        session = record.value("session_name")
        own = {
            INGEST_KEY: {
                "value": ingest_key(record.unique_id),
                "dataset": record.unique_id,
                "instrument": self._instrument,
            }
        }
        reader = f"{record.ingestor} {record.ingestor_version}".strip()
        return {
            "keywords": list(dict.fromkeys(word for word in (measurement, *record.keywords) if word.strip())),
            **({"techniques": [{"pid": technique.pid, "name": technique.name}]} if technique else {}),
            "usedSoftware": [self._software, *([reader] if record.ingestor else [])],
            "scientificMetadata": {
                **({"session": session} if session else {}),
                **{key: value for key, value in metadata.items() if key not in {INGEST_KEY, NAMES}},
                **({"labferry_changed": notes} if notes else {}),
                **({NAMES: names} if names else {}),
                **own,
            },
        }

    def _times(self, record: DatasetRecord) -> dict[str, str]:
        """When all files were complete, and from when to when it was measured, if that is known."""
        changed = [moment for file in record.files if (moment := changed_at(file)) is not None]
        measured = _moment(record.value("timestamp"))
        last = max(changed, default=None)
        created = last or measured
        times = {"creationTime": created, "startTime": measured, "endTime": last}
        if measured is not None and last is not None and last < measured:
            del times["endTime"]  # copied files, or another clock: their times say nothing of the measurement
        return {name: moment.isoformat(timespec="milliseconds") for name, moment in times.items() if moment is not None}

    def _placed(
        self, record: DatasetRecord, values: Mapping[str, Any], problems: list[str], base: str | None
    ) -> Placement:
        if not record.files:
            folder = self._roots[0] if self._roots else "/"
            return Placement(folder, self._seen(folder, problems), folder, {})
        folder, names = common_folder(record.files, base)
        transfer = self._settings.transfer
        if transfer.mode == "in-place" or transfer.to is None:
            lying = {name: lies for name, (_, lies) in names.items()}
            return Placement(folder, self._seen(folder, problems), folder, lying)
        parts = [_fill("transfer.layout", part, values, problems, needed=True) or "_" for part in self._layout]
        store = "/".join([transfer.to.rstrip("/"), *(safe_segment(part) for part in parts)])
        copied = {name: copy for name, (copy, _) in names.items()}
        return Placement(folder, self._seen(own_path(store), problems), store, copied)

    def _seen(self, folder: str, problems: list[str]) -> str:
        """The folder as the file server calls it: the longest entry of `path_map` that leads to it."""
        entries = sorted(self._settings.path_map, key=lambda entry: -len(entry.here.rstrip("/")))
        for entry in entries:
            here = entry.here.rstrip("/")
            if folder == here or folder.startswith(f"{here}/"):
                rest = folder[len(here) :]
                there = entry.there.rstrip("/\\")
                return (there + (rest.replace("/", "\\") if "\\" in there else rest)) or "/"
        if entries:
            problems.append(f"sourceFolder: no entry of `path_map` covers {display_name(folder)}")
        return display_name(folder)

    def stored(self, folder: str) -> str | None:
        """Where the mover finds a folder that the file server calls so; None if files stay in place."""
        transfer = self._settings.transfer
        if transfer.mode == "in-place" or transfer.to is None:
            return None
        for entry in sorted(self._settings.path_map, key=lambda entry: -len(entry.there)):
            there = entry.there.rstrip("/\\")
            if folder == there or folder.startswith((f"{there}/", f"{there}\\")):
                folder = entry.here.rstrip("/") + folder[len(there) :].replace("\\", "/")
                break
        root = own_path(transfer.to).rstrip("/")
        return f"{transfer.to.rstrip('/')}{folder[len(root) :]}" if folder.startswith(f"{root}/") else None

    def _refuse(self, record: DatasetRecord, problems: list[str]) -> None:
        if problems:
            shown = record.value("dataset_name") or record.unique_id
            raise CatalogRefused(f"{shown} cannot go to {self._settings.name}: {'; '.join(problems)}.", _ADVICE)


def ingest_key(unique_id: str) -> str:
    """What marks a dataset as ours: 64 hex digits that depend on our id of it alone."""
    return sha256(f"labferry {unique_id}".encode()).hexdigest()


def chosen_pid(prefix: str, unique_id: str) -> str:
    """The pid that every try of this dataset gives, where the account may choose it."""
    return f"{prefix}/{uuid5(_PIDS, unique_id)}"


def _fill(name: str, template: Template, values: Mapping[str, Any], problems: list[str], *, needed: bool) -> str | None:
    try:
        text = template.fill(values)
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return None
    if text is None and needed:
        problems.append(f"{name}: {template.text!r} needs {template.missing(values)}, which this dataset does not have")
    return None if text is None else text.strip()


def _fill_all(name: str, template: Template, values: Mapping[str, Any], problems: list[str]) -> list[str]:
    try:
        return template.fill_all(values)
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return []


def _moment(value: Any) -> datetime | None:
    """A time with its offset; one that says none is this computer's own."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone() if moment is not None and moment.tzinfo is None else moment
    except (ValueError, OverflowError, OSError):
        return None
