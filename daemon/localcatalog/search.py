"""The full-text index: what a person types, and how the index follows what is written. Queries run in `reading`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from daemon.localcatalog.folder import LocalCatalog
    from daemon.store.database import Row

_WORD: Final = re.compile(r"\S+")
_BATCH: Final = 200
_TEXT_LIMIT: Final = 100_000


def match_expression(text: str) -> str | None:
    """The FTS5 expression for what a person typed: every word must occur, as the beginning of a word; None: no word.

    Each word is quoted, so that nothing in it is read as FTS5's query language
    (https://www.sqlite.org/fts5.html#full_text_query_syntax).
    """
    words = [word.replace('"', '""') for word in _WORD.findall(text) if any(letter.isalnum() for letter in word)]
    return " ".join(f'"{word}"*' for word in words) or None


def refresh(catalog: LocalCatalog) -> int:
    """Bring the index up to date with what was written; the number of datasets that were indexed anew."""
    done = 0
    while rows := catalog.reader.all("unindexed", count=_BATCH):
        with catalog.database.transaction():
            for row in rows:
                _index(catalog, row["dataset"])
        done += len(rows)
    return done


def _index(catalog: LocalCatalog, dataset: int) -> None:
    database = catalog.database
    row = database.one("text_of_dataset", dataset=dataset)
    database.run("delete_search", dataset=dataset)
    if row is not None:
        database.run("insert_search", dataset=dataset, **_columns(row))
    database.run("indexed", dataset=dataset)


def _columns(row: Row) -> dict[str, str]:
    metadata = json.loads(row["metadata"]) if row["metadata"] else {}
    other = (row["unique_id"], row["project"], row["data_type"], row["data_format"], row["samples"], row["files"])
    return {
        "name": row["dataset_name"] or "",
        "measurement": row["measurement"] or "",
        "session": row["session_name"] or "",
        "instrument": row["instrument"] or "",
        "keywords": row["keywords"] or "",
        "other": " ".join(part for part in other if part),
        "metadata": " ".join(_words(metadata))[:_TEXT_LIMIT],
    }


def _words(value: Any) -> Iterator[str]:
    """Names and texts of a metadata tree. Numbers are left out: nobody looks for 0.0013, and they fill the index."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            for key in reversed(item):
                waiting.append(item[key])
                waiting.append(str(key).replace("_", " "))
                waiting.append(str(key))
        elif isinstance(item, list):
            waiting.extend(reversed([entry for entry in item if isinstance(entry, (dict, list, str))]))
        elif isinstance(item, str):
            yield item
