"""What a later revision, or a dataset that is there already, means for SciCat's fields: a person's corrections stay."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from daemon import scicat_rules
from daemon.catalogs.catalog import digest_of
from daemon.catalogs.crucible.merging import agreed, marks, updates
from daemon.catalogs.http import segment
from daemon.catalogs.scicat.account import object_with

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.catalogs.scicat.account import Account

METADATA: Final = "scientificMetadata"
SETTLED: Final = frozenset({"creationTime", "sourceFolder", "type", "pid", METADATA})
"""The fields that stay as they were when the dataset was made, and the one that is merged."""

_DIGITS: Final = 16
_CLOSED: Final = (403, 404)


class Update:
    """Brings datasets up to date. Of what was sent only digests are kept."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def sent(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What has to be remembered of a body that was sent."""
        digests = {name: digest_of(value)[:_DIGITS] for name, value in body.items() if name not in SETTLED}
        return {"sent": digests, "marks": marks(body.get(METADATA, {}))}

    def later(self, earlier: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Send what differs from what was sent for an earlier revision."""
        known: Mapping[str, str] = earlier.get("sent", {})
        now = self.sent(body)
        fields = {name: body[name] for name, digest in now["sent"].items() if known.get(name) != digest}
        described = now["marks"] != earlier.get("marks")
        if not fields and not described:
            return now
        there = self._there(earlier["pid"])
        fields = _united(fields, there or {})
        if described:
            fields.update(_metadata(body, earlier.get("marks", ""), there))
        return {**now, **(self.patched(earlier["pid"], fields) if fields else {})}

    def adopted(self, pid: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A dataset of ours whose answer was lost: send what it lacks, if its content changed meanwhile."""
        there = self._there(pid)
        if there is None:
            return self.sent(body)
        fields = {
            name: value for name, value in body.items() if name not in SETTLED and not _same(value, there.get(name))
        }
        fields = _united(fields, there)
        described = _decoded(there.get(METADATA) or {})
        patch, _ = updates(body[METADATA], agreed(body[METADATA], described), described)
        if patch:
            fields[METADATA] = _touched(patch, described)
        return {**self.sent(body), **(self.patched(pid, fields) if fields else {})}

    def patched(self, pid: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Merge fields into the dataset; a dataset that our account may not change is left, and said to be."""
        path = f"/api/v4/datasets/{segment(pid)}"
        answer = self._account.call("PATCH", path, body=fields, merge=True, slow=True, also=_CLOSED)
        if answer.ok:
            object_with(answer, "pid")
            return {}
        return {"left": dict.fromkeys(fields, "our account may not change this dataset")}

    def _there(self, pid: str) -> dict[str, Any] | None:
        answer = self._account.call("GET", f"/api/v4/datasets/{segment(pid)}", also=_CLOSED)
        return object_with(answer, "pid") if answer.ok else None


def _metadata(body: Mapping[str, Any], known: str, there: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of the metadata has to be merged into what is there; all of it if that may not be read."""
    if there is None:
        return {METADATA: body[METADATA]}
    described = _decoded(there.get(METADATA) or {})
    patch, _ = updates(body[METADATA], known, described)
    return {METADATA: _touched(patch, described)} if patch else {}


def _united(fields: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of texts with what a person, or we ourselves, added there: a merge would replace them."""
    united: dict[str, Any] = {}
    for name, value in fields.items():
        theirs = there.get(name)
        texts = name in scicat_rules.LISTS and isinstance(theirs, list)
        new = list(dict.fromkeys([*theirs, *value])) if texts and theirs else value
        if new != theirs:
            united[name] = new
    return united


def _touched(patch: Mapping[str, Any], there: Mapping[str, Any]) -> dict[str, Any]:
    """Each branch that the patch touches, with everything that is in it there.

    The server refuses half a quantity; and a key that its database spells in another way (a space is `%20` there) does not
    meet the one that is sent: what is there below it would be replaced and not merged.
    """
    return {key: _whole(value, there.get(key)) for key, value in patch.items()}


def _whole(patch: Any, there: Any) -> Any:
    if not isinstance(patch, dict) or not isinstance(there, dict):
        return patch
    return {**there, **{key: _whole(value, there.get(key)) for key, value in patch.items()}}


def _decoded(tree: Any) -> Any:
    """Metadata as it was sent: v4 gives back keys as the database has them, percent-encoded."""
    if not isinstance(tree, dict):
        return tree
    return {unquote(key): _decoded(value) for key, value in tree.items()}


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two fields say the same; the server writes times in its own way and adds to techniques."""
    if isinstance(ours, str) and isinstance(theirs, str) and ours != theirs:
        try:
            return datetime.fromisoformat(ours) == datetime.fromisoformat(theirs)
        except (ValueError, TypeError):
            return False
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return all(_same(one, other) for one, other in zip(ours, theirs, strict=True))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return all(_same(value, theirs.get(key)) for key, value in ours.items())
    return bool(ours == theirs)
