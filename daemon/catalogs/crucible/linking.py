"""The links of a dataset in Crucible: to its samples, to what it is part of, and to what it was made of.

Source: nano-crucible 3.3.0, `resources/datasets.py`; samples are made where they are missing as crucible-ingestion's
`push_packet` does it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.crucible.reading import CrucibleReading
from daemon.catalogs.http import segment
from daemon.errors import NotYet
from daemon.mfid import is_mfid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.model import DatasetRecord, Step

PART: Final = "is_part_of"
DERIVED: Final = "is_derived_from"
BY_NAME: Final = "by name"

_NOT_FOUND: Final = 404
_CONFLICT: Final = 409


class CrucibleLinking(CrucibleReading):
    """The part of the adapter that links. `fresh`: nothing of the step can be there yet."""

    def _sample(self, step: Step, record: DatasetRecord, *, fresh: bool) -> Mapping[str, Any]:
        """Link a sample; one with an id that the catalog does not know yet is made first."""
        sample = step.key
        if step.digest == BY_NAME:
            query = [("sample_name", step.key), ("limit", "2"), *_project(record).items()]
            listed = [item for item in self._optional("/samples", query) if isinstance(item, dict)]
            named = [item for item in listed if item.get("sample_name") == step.key]
            if len(named) != 1 or not isinstance(named[0].get("unique_id"), str):
                return {"how": "not known there" if not named else "several have this name"}
            sample = named[0]["unique_id"]
        if not fresh and self._linked(record.unique_id, sample):
            return {"how": "already there"}
        path = f"/datasets/{segment(record.unique_id)}/samples/{segment(sample)}"
        answer = self._client.call("POST", path, also=(_NOT_FOUND,))
        if answer.ok:
            answer.mapping()
            return {}
        name = next((one.name for one in record.samples if one.unique_id == sample), sample)
        body = {"unique_id": sample, "sample_name": name or sample, **_project(record)}
        self._client.call("POST", "/samples", body=body, also=(_CONFLICT,))
        self._client.call("POST", path).mapping()
        return {"how": "made there"}

    def _link(self, parent: str, relation: str, record: DatasetRecord, *, fresh: bool) -> Mapping[str, Any]:
        if not fresh and self._linked(record.unique_id, parent, relation):
            return {"how": "already there"}
        path = f"/datasets/{segment(parent)}/children/{segment(record.unique_id)}"
        answer = self._client.call("POST", path, query=[("relationship_type", relation)], also=(_NOT_FOUND,))
        if not answer.ok:
            what = "The dataset that this one is part of," if relation == PART else "The one that it is derived from,"
            raise NotYet(f"{what} {parent} is not in {self.name} yet.")
        answer.mapping()
        return {}

    def _linked(self, dataset: str, other: str, relation: str | None = None) -> bool:
        return any(
            item["unique_id"] == other and (relation is None or item.get("relationship_type") in {relation, None})
            for item in self._links(dataset)
        )


def _project(record: DatasetRecord) -> dict[str, str]:
    """The project as a request names it: by its id or by its slug."""
    project = record.value("project_id")
    if not isinstance(project, str) or not project:
        return {}
    return {"project_mfid" if is_mfid(project) else "project_id": project}
