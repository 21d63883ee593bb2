"""What a person typed into ScopeFoundry's `mf_crucible` hardware: session, project, ORCID, tags, comments, samples.

Source: HW_mf_crucible (the component is called `mf_crucible`, older set-ups `mf-crucible`, SpinBot and Nirvana
`mf_crucible_spinbot`, `mf_crucible_nirvana`). What stands there before anybody typed is a placeholder, in several wordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ingestors.api import Sample, display_name
from ingestors.scopefoundry.layout import is_mfid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_COMPONENT: Final = re.compile(r"mf[-_ ]?crucible", re.IGNORECASE)
_PROPOSALS: Final = ("proposal", "proposal_id", "project", "project_id")
_SAMPLES: Final = ("sample_name", "sample")
_ORCID: Final = re.compile(r"\b(\d{4}-\d{4}-\d{4}-\d{3}[\dXx])\b")
_PLACEHOLDER: Final = re.compile(
    r"""\(?optional\)? | .*\(optional\) | enter\ (?:an?|your|comments?|e-?mail|orcid|user|session|tags?|keywords?)\b.* | (?:x{4}[- ]?){2,}x* | n/?a | none | null | - | \?+
      | list\W+tags\W+separated.* | (?:mfp)?0+ | (?:0{4}-){3}0{4} | nobody@lbl\.gov | nan | not\ (?:set|available|specified)
      | your\ .* | <.*> | \W*""",
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
    samples: tuple[Sample, ...] = ()


def typed(settings: Mapping[str, Mapping[str, Any]]) -> Person:
    """Join the settings of all such components (by component name); the first one that says something counts."""
    found: dict[str, str] = {}
    for component in sorted(name for name in settings if _COMPONENT.match(name)):
        for name, value in settings[component].items():
            cleaned = meant(value)
            if cleaned:
                found.setdefault(name.strip().lower().replace(" ", "_"), cleaned)
    orcids = (found.get(name, "") for name in ("orcid", "owner_orcid", "user_orcid", "orcid1", "orcid2", "orcid3"))
    orcid = next((match for match in map(_ORCID.search, orcids) if match), None)
    proposal = next((found[name] for name in _PROPOSALS if found.get(name)), "")
    return Person(
        session_name=found.get("session_name") or found.get("session") or "",
        project_id=proposal.split()[0].strip(",;:") if proposal else "",
        owner_orcid=orcid[1].upper() if orcid else "",
        comments=found.get("comments") or found.get("comment") or "",
        tags=_tags(found.get("tags") or found.get("keywords") or ""),
        samples=_samples(found),
    )


def folder_words(components: Iterable[str], path: Path) -> list[str]:
    """The folders of a SpinBot's file that name a campaign or a batch: Crucible's ingestor makes keywords of them."""
    if not any(name.lower().startswith("mf_crucible_spinbot") for name in components):
        return []
    folders = map(display_name, path.parent.parts)
    return [folder for folder in folders if "campaign" in folder.lower() or "batch" in folder.lower()]


def named_sample(name: str, own_id: str = "") -> Sample:
    """A sample by its name; its id if one is given, or if the name is one."""
    return Sample(name, next((text for text in (own_id, name) if is_mfid(text)), None))


def _samples(found: Mapping[str, str]) -> tuple[Sample, ...]:
    """The sample, and SpinBot's batch (`PREFIX_name_id`, whose parts Crucible reads as name and id)."""
    named = [
        named_sample(found[name], found.get("sample_id") or found.get("sample_uuid") or "")
        for name in _SAMPLES
        if name in found
    ]
    parts = found.get("batch_id", "").split("_")
    if len(parts) > 2:  # noqa: PLR2004 prefix, name, id
        named.append(named_sample(parts[1], parts[2]))
    elif found.get("batch_id"):
        named.append(named_sample(found["batch_id"]))
    return tuple(dict.fromkeys(named))


def meant(value: Any) -> str:
    """The text that a person typed, empty for a placeholder."""
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    text = value.strip() if isinstance(value, str) else ""
    return "" if _PLACEHOLDER.fullmatch(text) else text


def _tags(text: str) -> tuple[str, ...]:
    parts = (part.strip().strip("'\"") for part in re.split(r"[,;\n]", text.strip("[]()")))
    return tuple(dict.fromkeys(part for part in parts if meant(part)))
