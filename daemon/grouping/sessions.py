"""Which datasets are one sitting. Pure: evidence in, evidence out; the loops keep the sessions.

Evidence, strongest first: a session that a person opened, a `session.yaml` beside the data, what the file itself says, the
group `session_name` of a path pattern, the run folder. Without any of these only the time is left: `gap_session`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from daemon.model import SessionEvidence, SessionId
from ingestors.api import display_name, jsonable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

SESSION_NAME: Final = "session_name"
_NAME_KEYS: Final = ("name", SESSION_NAME, "title")

# What forms show before a person filled them in. Those of ScopeFoundry's HW_mf_crucible end in "(optional)" or begin with
# "enter a" (its defaults and what its "Log Out" button writes).
_EMPTY_WORDS: Final = frozenset(
    {
        "",
        "-",
        "--",
        "?",
        "n/a",
        "na",
        "nan",
        "none",
        "null",
        "nil",
        "undefined",
        "unknown",
        "unnamed",
        "untitled",
        "tbd",
    }
)
_FORM_TEXT: Final = re.compile(
    r".*\(optional\)|enter (?:a|an|the|your)\b.*|<.*>|list,tags,separated,by,commas.*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a dataset belongs to a session.

    `key` identifies the session among those of the same kind, `name` is what people call it, `attributes` are what it
    provides for its datasets (project_id, owner_orcid, sample, keywords, note, ...).
    """

    kind: SessionEvidence
    key: str
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Span:
    """A session's extent: the times of its first and last dataset, aware."""

    id: SessionId
    start: datetime
    end: datetime


def evidence_for(
    path: str,
    *,
    opened: Evidence | None = None,
    session_file: Mapping[str, Any] | None = None,
    session_folder: str | None = None,
    extraction_attributes: Mapping[str, Any] | None = None,
    path_pattern: re.Pattern[str] | None = None,
    folder: bool = True,
) -> Evidence | None:
    """The strongest evidence for the dataset whose key is `path` (root-relative), or None: then only the time is left.

    `opened`: the session that a person opened; `session_file`: the content of the nearest session.yaml, found in
    `session_folder` (root-relative; by default the dataset's own folder); `extraction_attributes`: what the ingestor
    found; `folder`: whether run folders count.
    """
    run_folder = path.rpartition("/")[0]
    if opened is not None:
        return opened
    if session_file is not None:
        return _by_file(session_file, run_folder if session_folder is None else session_folder)
    named = meaningful((extraction_attributes or {}).get(SESSION_NAME))
    if named is not None:
        return Evidence(SessionEvidence.FILE, named, named)
    in_path = _by_path(path, path_pattern)
    if in_path is not None:
        return in_path
    if folder and run_folder:
        return Evidence(SessionEvidence.FOLDER, _folder_key(run_folder), display_name(run_folder))
    return None


def gap_session(sessions: Sequence[Span], at: datetime, gap_seconds: float) -> SessionId | None:
    """The session from whose first and last dataset `at` is no more than the gap away; the nearest, then the latest.

    A session once given is never merged with another nor split, so late files join what is there.
    """
    near = [(distance, span) for span in sessions if (distance := _distance(span, at)) <= gap_seconds]
    if not near:
        return None
    return min(near, key=lambda pair: (pair[0], -pair[1].start.timestamp(), -pair[1].id))[1].id


def name_for_gap(instrument: str, start: datetime) -> str:
    """A name for a session that nobody named; `start` in the zone in which people will read it."""
    return f"{instrument} {start:%Y-%m-%d %H:%M}"


def path_attributes(pattern: re.Pattern[str] | None, path: str) -> dict[str, str]:
    """What the named groups of the path pattern say (project_id, sample, owner_orcid, ...), without `session_name`."""
    match = None if pattern is None else pattern.search(path)
    if match is None:
        return {}
    groups = {name: meaningful(value) for name, value in match.groupdict().items() if name != SESSION_NAME}
    return {name: value for name, value in groups.items() if value is not None}


def meaningful(value: Any) -> str | None:
    """The text if a person wrote it; None for nothing, for placeholders of forms, and for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = " ".join(display_name(str(value)).replace("\x00", " ").split())
    folded = text.casefold()
    return None if folded in _EMPTY_WORDS or _FORM_TEXT.fullmatch(folded) else text


def _by_file(content: Mapping[str, Any], folder: str) -> Evidence:
    """A session.yaml: its name, or else its folder's; everything else are attributes."""
    named = next((text for key in _NAME_KEYS if (text := meaningful(content.get(key))) is not None), None)
    name = named or display_name(folder.rpartition("/")[2]) or "session"
    attributes = {
        str(key): jsonable(value)
        for key, value in content.items()
        if key not in _NAME_KEYS and value is not None and not (isinstance(value, str) and meaningful(value) is None)
    }
    return Evidence(SessionEvidence.PERSON, f"session.yaml:{_folder_key(folder)}", name, attributes)


def _folder_key(folder: str) -> str:
    """The folder as text that a database can hold, different for each folder; `//` stands in no path of ours."""
    shown = display_name(folder)
    return shown if shown == folder else f"{shown}//{folder.encode('utf-8', 'surrogateescape').hex()}"


def _by_path(path: str, pattern: re.Pattern[str] | None) -> Evidence | None:
    match = None if pattern is None or SESSION_NAME not in pattern.groupindex else pattern.search(path)
    name = None if match is None else meaningful(match[SESSION_NAME])
    if name is None:
        return None
    attributes = path_attributes(pattern, path)
    project = attributes.get("project_id")
    return Evidence(SessionEvidence.PATH, f"{project}/{name}" if project else name, name)


def _distance(span: Span, at: datetime) -> float:
    """Seconds from a moment to the session; 0 within."""
    return max((span.start - at).total_seconds(), (at - span.end).total_seconds(), 0.0)
