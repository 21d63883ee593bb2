"""How datasets of ours, their files, pictures and instruments are found in a SciCat. Reads only."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import nonsense, said
from daemon.catalogs.http import DEFAULT_TIMEOUTS, HttpClient, Timeouts, segment
from daemon.catalogs.scicat.account import Account, Renewed, object_with, rows
from daemon.catalogs.scicat.listing import DATASETS, FileLists
from daemon.catalogs.scicat.record import INGEST_KEY, RecordMapping, chosen_pid, ingest_key
from daemon.errors import NotYet
from daemon.model import StepKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from daemon.catalogs.catalog import Attempt
    from daemon.catalogs.credentials import Key
    from daemon.catalogs.transfer import Mover
    from daemon.clock import Clock
    from daemon.model import DatasetRecord, RecordFile
    from daemon.scicat_settings import SciCatCatalog

RECORD_KEY: Final = "dataset"
PROBED: Final = "labferry asks whether it may choose"
"""The id of no dataset, for a pid that looks like those that are chosen: a facility may have a pattern for them."""

_KNOWN_SECONDS: Final = 3600.0
_UNKNOWN_SECONDS: Final = 120.0
_PAGES: Final = 4096
_CLOSED: Final = (403, 404)


@dataclass(frozen=True, slots=True)
class SciCatOptions:
    """How one SciCat is used. `mover` is None where files stay in place; `software` is what `usedSoftware` says of us."""

    settings: SciCatCatalog
    instrument: str
    password: Key | None = None
    token: Key | None = None
    mover: Mover | None = None
    roots: Sequence[str] = ()
    software: str = "labferry"
    verify: bool | Path = True
    timeouts: Timeouts = DEFAULT_TIMEOUTS


class SciCatLookups:
    """What the adapter and its reading half ask."""

    def __init__(self, options: SciCatOptions, clock: Clock) -> None:
        settings = options.settings
        self.name = settings.name
        self._options, self._settings, self._clock, self._mover = options, settings, clock, options.mover
        self._client = HttpClient(
            settings.name, settings.url, "", clock, verify=options.verify, timeouts=options.timeouts
        )
        self._account = Account(
            self._client,
            clock,
            username=settings.username,
            password=options.password,
            token=options.token,
            login=settings.login,
        )
        self._lists = FileLists(self.name, self._account)
        self._mapping = RecordMapping(settings, options.instrument, options.roots, options.software)
        self._pids: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        self._instruments: dict[str, tuple[float, list[str]]] = {}
        self._may_choose: tuple[float, bool] | None = None
        self._last = threading.local()

    def page(self, unique_id: str) -> str | None:
        """Where a person can look at the dataset, if a page is configured and its pid is known."""
        with self._lock:
            pid = self._pids.get(unique_id)
        if self._settings.page is None or pid is None:
            return None
        return self._settings.page.replace("{pid}", segment(pid))

    def close(self) -> None:
        """Give back connections."""
        self._client.close()
        if self._mover is not None:
            self._mover.close()

    def _anew(self, ask: Callable[[], Any]) -> Any:
        """Ask, once more if the token was none any more."""
        try:
            return ask()
        except Renewed:
            return ask()

    def _find(self, unique_id: str, *, sure: bool = False) -> str | None:
        """The pid of the dataset that carries our key. v4's filters are exact, v3's are not.

        `sure`: nothing is only believed of somebody whom the server knows; whoever creates it next finds that out anyway.
        """
        query = {
            "where": {f"scientificMetadata.{INGEST_KEY}.value": ingest_key(unique_id)},
            "limits": {"limit": 2},
            "fields": ["pid"],
        }
        answer = self._account.call("GET", DATASETS, query=[("filter", json.dumps(query))])
        found = min((item["pid"] for item in rows(answer) if isinstance(item.get("pid"), str)), default=None)
        if found is not None:
            self._remember_pid(unique_id, found)
        elif sure:
            self._account.confirm()
        return found

    def _there(self, pid: str) -> dict[str, Any] | None:
        answer = self._account.call("GET", f"{DATASETS}/{segment(pid)}", also=_CLOSED)
        return object_with(answer, "pid") if answer.ok else None

    def _query(self, path: str, where: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
        query = [("filter", json.dumps({"where": where, "limits": {"limit": limit}}))]
        found = rows(self._account.call("GET", path, query=query, slow=True))
        if not found:
            self._account.confirm()
        return found

    def _attachments(self, pid: str) -> list[dict[str, Any]]:
        return rows(self._account.call("GET", f"/api/v3/datasets/{segment(pid)}/attachments", slow=True))

    def _instrument_ids(self, record: DatasetRecord) -> tuple[list[str], dict[str, str]]:
        """The instrument's pid in a list, or nothing and the reason. It is never created."""
        name = self._mapping.instrument(record)
        if not name:
            return [], {}
        ids = self.instruments(name)
        if len(ids) == 1:
            return ids, {}
        many = "more than one instrument is" if ids else "no instrument is"
        return [], {"instrument": f"{many} called {name} in {self.name}"}

    def instruments(self, name: str) -> list[str]:
        """The pids of the instruments of this uniqueName, name or pid; the first of the three that finds any."""
        known = self._instruments.get(name)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        ids: list[str] = []
        for key in ("uniqueName", "name", "pid"):
            query = [
                ("filter", json.dumps({"where": {key: {"inq": [name]}}}))
            ]  # in a list, or v3 may take it for a date
            found = rows(self._account.call("GET", "/api/v3/instruments", query=query))
            ids = [item["pid"] for item in found if isinstance(item.get("pid"), str)]
            if ids:
                break
        seconds = _KNOWN_SECONDS if ids else _UNKNOWN_SECONDS
        self._instruments[name] = (self._clock.monotonic() + seconds, ids)
        return ids

    def _chosen(self, unique_id: str) -> str | None:
        """The pid that we give a dataset, if one is configured and our account may."""
        prefix = self._settings.pid_prefix
        if prefix is None:
            return None
        known = self._may_choose
        if known is None or self._clock.monotonic() >= known[0]:
            group = self._account.identity().group(self._settings.group) or "labferry"
            body = probe(group, pid=chosen_pid(prefix, PROBED))
            known = self._may_choose = (self._clock.monotonic() + _KNOWN_SECONDS, not refusal(self._account, body))
        return chosen_pid(prefix, unique_id) if known[1] else None

    def _pid(self, attempt: Attempt) -> str:
        pid = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY), {}).get("pid")
        if not isinstance(pid, str):
            raise NotYet(f"The dataset is not in {self.name} yet.")
        return pid

    def _fresh(self, record: DatasetRecord, attempt: Attempt) -> bool:
        """Whether nothing of this step can be there yet: our first try, on a dataset that this revision made."""
        made = attempt.outcomes.get((StepKind.RECORD, RECORD_KEY), {})
        return not attempt.repeated and made.get("created") is True and made.get("revision") == record.revision

    def _named(self, record: DatasetRecord) -> Mapping[str, RecordFile]:
        """The files by name; made once for a record, which may have many thousand."""
        if getattr(self._last, "record", None) is not record:
            self._last.record, self._last.files = record, {file.name: file for file in record.files}
        files: Mapping[str, RecordFile] = self._last.files
        return files

    def _remember_pid(self, unique_id: str, pid: str) -> None:
        with self._lock:
            self._pids[unique_id] = pid
            if len(self._pids) > _PAGES:
                self._pids.popitem(last=False)


def refusal(account: Account, body: Mapping[str, Any]) -> str:
    """Why our account may not create such a dataset: `isValid` refuses what may not be, and stores nothing. "" if it may."""
    answer = account.call("POST", f"{DATASETS}/isValid", body=body, also=(400, 403))
    if answer.ok and "valid" not in answer.mapping():
        raise nonsense(answer)
    return "" if answer.ok else said(answer)


def probe(group: str, **fields: Any) -> dict[str, Any]:
    """The least body that is valid, to ask what our account may do; it is never created."""
    return {
        "ownerGroup": group,
        "owner": "labferry",
        "contactEmail": "labferry@example.org",
        "sourceFolder": "/labferry",
        "creationTime": "2026-01-01T00:00:00Z",
        "datasetName": "labferry asks",
        "type": "raw",
        **fields,
    }
