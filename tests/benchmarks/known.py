"""Files that the store already knows, without the hours that their deliveries would take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from daemon.clock import SystemClock
from daemon.store.opening import open_store
from daemon.watch.scan import list_folder

if TYPE_CHECKING:
    from pathlib import Path

FOLDERS = 1000


def know_files(folder: Path, count: int) -> None:
    """Make `count` small files below `folder`/data and a store in which all are settled and delivered."""
    data = folder / "data"
    per_folder = count // FOLDERS
    for number in range(FOLDERS):
        place = data / f"{number:04}"
        place.mkdir(parents=True)
        for index in range(per_folder):
            (place / f"scan_{index:04}.xy").write_bytes(b"1 2\n")
    (folder / "state").mkdir(exist_ok=True)
    store = open_store(folder / "state", "test-bench", SystemClock())
    root = store.roots.add(data)
    moment = "2026-01-01T00:00:00.000+00:00"
    database = store.database
    with database.transaction():
        identity = 0
        for number in range(FOLDERS):
            for name, seen in list_folder(data, f"{number:04}").files.items():
                identity += 1
                path = f"{number:04}/{name}".encode()
                database.select(
                    "INSERT INTO datasets (id, kind, root, key, unique_id, state, revision, first_seen, record)"
                    " VALUES (?, 'measurement', ?, ?, ?, 'delivered', 1, ?, ?)",
                    (identity, root, path, f"{identity:026}", moment, json.dumps({})),
                )
                database.select(
                    "INSERT INTO files (root, folder, name, state, size, mtime_ns, ctime_ns, inode, device, sha256,"
                    " crc32c, part_size, part_crc32c, settled_size, dataset, role, first_seen, settled_at)"
                    " VALUES (?, ?, ?, 'settled', ?, ?, ?, ?, ?, ?, 0, 67108864, '[0]', ?, ?, 'primary', ?, ?)",
                    (
                        root, f"{number:04}".encode(), name.encode(), seen.size, seen.mtime_ns, seen.ctime_ns, seen.inode,
                        seen.device, f"{identity:064}", seen.size, identity, moment, moment,
                    ),
                )  # fmt: skip
    store.close()
