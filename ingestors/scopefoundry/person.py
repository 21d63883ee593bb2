"""What a person typed into ScopeFoundry's `mf_crucible` hardware: session, project, ORCID, tags, comments.

Source: HW_mf_crucible (the component is called `mf_crucible`, older set-ups `mf-crucible`, SpinBot and Nirvana
`mf_crucible_spinbot`, `mf_crucible_nirvana`). What stands there before anybody typed is a placeholder, in several wordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMPONENT: Final = re.compile(r"mf[-_ ]?crucible", re.IGNORECASE)
_ORCID: Final = re.compile(r"\b(\d{4}-\d{4}-\d{4}-\d{3}[\dXx])\b")
_PLACEHOLDER: Final = re.compile(
    r"""\(?optional\)? | .*\(optional\) | enter\ an?\ .* | (?:x{4}[- ]?){2,}x* | n/?a | none | null | - | \?+
      | list\W+tags\W+separated.* | \W*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Person:
    """What was typed; empty where nothing was."""

    session_name: str = ""
    project_id: str = ""
    owner_orcid: str = ""
    comments: str = ""
    tags: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


def typed(settings: Mapping[str, Mapping[str, Any]]) -> Person:
    """Join the settings of all such components (by component name); the first one that says something counts."""
    found: dict[str, str] = {}
    for component in sorted(name for name in settings if _COMPONENT.match(name)):
        for name, value in settings[component].items():
            cleaned = meant(value)
            if cleaned:
                found.setdefault(name.strip().lower().replace(" ", "_"), cleaned)
    orcid = _ORCID.search(found.get("orcid", ""))
    proposal = found.get("proposal") or found.get("project") or found.get("project_id") or ""
    sample = found.get("sample_name") or found.get("sample") or ""
    return Person(
        session_name=found.get("session_name", ""),
        project_id=proposal.split()[0].strip(",;:") if proposal else "",
        owner_orcid=orcid[1].upper() if orcid else "",
        comments=found.get("comments") or found.get("comment") or "",
        tags=_tags(found.get("tags", "")),
        samples=(sample,) if sample else (),
    )


def meant(value: Any) -> str:
    """The text that a person typed, empty for a placeholder."""
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    text = value.strip() if isinstance(value, str) else ""
    return "" if _PLACEHOLDER.fullmatch(text) else text


def _tags(text: str) -> tuple[str, ...]:
    parts = (part.strip().strip("'\"") for part in re.split(r"[,;\n]", text.strip("[]()")))
    return tuple(dict.fromkeys(part for part in parts if meant(part)))
