"""The receipt of a session: what was proved of each of its files, when, by whom, sealed with a hash over all of it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daemon.cli.progress import in_order
from daemon.cli.verify import as_json
from daemon.clock import SystemClock
from daemon.errors import NotFoundError
from daemon.locations import user_name
from daemon.loops.localfiles import local_files
from daemon.loops.verifying import Verdict, record_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.loops.verifying import Checked, Verifying
    from daemon.model import RecordFile
    from daemon.settings import Instrument
    from daemon.store.datasets import DatasetRow
    from daemon.store.opening import Store
    from daemon.store.sessions import SessionRow


def find_session(store: Store, name: str) -> SessionRow:
    """The session of this name or number. Raises NotFoundError if there is none or more than one."""
    found = store.sessions.named(name)
    if not found and name.isdecimal():
        known = store.sessions.get(int(name))  # type: ignore[arg-type]
        found = [known] if known is not None else []
    if not found:
        raise NotFoundError(f"There is no session {name!r}.", "`labferry session list CONFIG` shows the latest.")
    if len(found) > 1:
        numbers = ", ".join(f"{one.id} ({one.started_at:%Y-%m-%d %H:%M})" for one in found)
        raise NotFoundError(f"More than one session is called {name!r}.", f"Say its number: {numbers}.")
    return found[0]


def make_receipt(
    instrument: Instrument, store: Store, verifying: Verifying, session: SessionRow, where: Mapping[str, str]
) -> dict[str, Any]:
    """Check every file that the session's datasets ever named and write down what was found.

    `complete`: every file is safe, or gone and held by every catalog. `sha256` is over the rest as canonical JSON.
    """
    datasets = store.datasets.of_session(session.id)
    items = [(dataset, file) for dataset in datasets for file in record_files(dataset)]
    checked = list(
        in_order("checking", items, lambda item: _check(instrument, verifying, *item), lambda item: item[1].size)
    )
    proved = all(one.verdict is not Verdict.UNSAFE for one in checked)
    body: dict[str, Any] = {
        "what": "labferry receipt",
        "instrument": instrument.instrument,
        "session": {
            "name": session.name,
            "number": session.id,
            "start": session.started_at.isoformat(),
            "end": session.ended_at.isoformat(),
        },
        "catalogs": dict(where),
        "datasets": len(datasets),
        "complete": proved and all(dataset.record for dataset in datasets),
        "files": [as_json(one) for one in checked],
        "signed_off": {
            "at": SystemClock().now().isoformat(),
            "by": f"{user_name()}@{platform.node()}",
            "with": f"labferry {version('labferry')}",
        },
    }
    return {**body, "sha256": seal(body)}


def seal(body: Mapping[str, Any]) -> str:
    """The sha256 of a receipt without its own `sha256`: JSON with sorted keys and no spaces, UTF-8."""
    plain = {name: value for name, value in body.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _check(instrument: Instrument, verifying: Verifying, dataset: DatasetRow, file: RecordFile) -> Checked:
    if os.path.lexists(file.path) and any(Path(file.path).is_relative_to(root.path) for root in instrument.roots):
        return verifying.check(next(iter(local_files(instrument.roots, Path(file.path)))))
    return verifying.remembered(dataset, file)
