"""What SciCat accepts in a dataset's fields, each rule as a sentence. Pure: standard library only.

The rules are those of the backend's v4 create DTO and of its database schema (class-validator; seen at 4.27 and 5.2).
What the schema wants and the DTO does not (owner) is answered by the server with an unexplained 500, so it is asked here.
"""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

LARGEST_BODY: Final = 15_000_000
"""Bytes. The server's own limit is 16 MiB, for a request and for a stored document; beyond it answers 500."""

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_NAME: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]"
_EMAIL: Final = re.compile(rf"{_LOCAL}@{_NAME}", re.ASCII)
_FQDN: Final = re.compile(_NAME, re.ASCII)
_SCHEMES: Final = frozenset({"", "http", "https", "ftp", "sftp"})
_LONGEST_EMAIL: Final = 254

_ORCID: Final = re.compile(r"(\d{4}-){3}\d{3}[\dX]", re.ASCII)
_CLASSES: Final = re.compile(r"(AU|AV|CO|IN)=(low|medium|high)(,(AU|AV|CO|IN)=(low|medium|high))*")
_CREATIVE: Final = re.compile(
    r"CC0([- ]1\.0)?|CC[- ]BY([- ](NC|SA|ND|NC-SA|NC-ND))?([- ][1-4]\.[05]([- ][A-Z]{2,4})?)?"
)
_PANET: Final = re.compile(r"/PaNET/PaNET\d{5}$")

REQUIRED: Final = ("ownerGroup", "owner", "contactEmail", "sourceFolder", "creationTime", "datasetName", "type")


def text(value: str) -> str:
    """A text that is not empty; "" or what is wrong."""
    return "" if value.strip() else "should not be empty"


def email(value: str) -> str:
    """One e-mail address; "" or what is wrong."""
    good = len(value) <= _LONGEST_EMAIL and _EMAIL.fullmatch(value)
    return "" if good else f"should be an e-mail address, and {value!r} is none"


def emails(value: str) -> str:
    """One e-mail address or several with `;` between them; "" or what is wrong."""
    wrong = [part.strip() for part in value.split(";") if email(part.strip())]
    return f"should be an e-mail address, or several with ; between them, and {wrong[0]!r} is none" if wrong else ""


def host(value: str) -> str:
    """A full host name, an IP address or a URL with one of them; "" or what is wrong."""
    rule = (
        f"should be a full host name such as acq1.example.org, an IP address or a URL with one, and {value!r} is none"
    )
    try:
        parts = urlsplit(value if "://" in value else f"//{value}")
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return rule
    del port  # reading it is what finds a wrong one
    if parts.scheme not in _SCHEMES or re.search(r"\s", value):
        return rule
    try:
        ip_address(name)
    except ValueError:
        return "" if _FQDN.fullmatch(name) else rule
    return ""


def moment(value: str) -> str:
    """A time with date, `T`, and its offset from UTC; "" or what is wrong."""
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        read = None
    good = read is not None and read.tzinfo is not None and "T" in value
    return "" if good else f"should be a time such as 2026-11-20T10:00:00+01:00, and {value!r} is none"


def orcid(value: str) -> str:
    """An ORCID with its check digit (ISO 7064, 11-2); "" or what is wrong."""
    rule = f"should be an ORCID such as 0000-0002-1825-0097, and {value!r} is none"
    if not _ORCID.fullmatch(value):
        return rule
    total = 0
    for digit in value.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    last = (12 - total % 11) % 11
    return "" if value[-1] == ("X" if last == 10 else str(last)) else f"{rule}: its last character does not agree"  # noqa: PLR2004 X stands for ten


def classification(value: str) -> str:
    """Authenticity, availability, confidentiality, integrity, each with a level; "" or what is wrong."""
    rule = (
        f"should be levels such as IN=medium,AV=low,CO=low (AU, AV, CO, IN; low, medium, high), and {value!r} is none"
    )
    return "" if _CLASSES.fullmatch(value) else rule


def licence(value: str) -> str:
    """A licence's name; one of Creative Commons has to be one that there is. "" or what is wrong."""
    told = value.strip().upper().replace(" ", "-")
    if not re.match(r"CC0?\b|CC-?BY", told) or _CREATIVE.fullmatch(value.strip()):
        return text(value)
    return f"should be a licence's name such as CC-BY-4.0 or CC0-1.0, and {value!r} is none of Creative Commons'"


def folder(value: str) -> str:
    """A whole path as some file server writes it; "" or what is wrong."""
    good = re.match(r"/|[A-Za-z]:[\\/]|\\\\|[a-z][a-z0-9+.-]*://", value)
    return (
        "" if good else f"should be a whole path such as /storage/em, P:\\em or \\\\server\\em, and {value!r} is none"
    )


def technique(value: str) -> str:
    """A technique's IRI; one of PaNET has five digits. "" or what is wrong."""
    good = re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+/\S+", value) and (
        "panet" not in value.lower() or _PANET.search(value)
    )
    return (
        "" if good else f"should be an IRI such as http://purl.org/pan-science/PaNET/PaNET01168, and {value!r} is none"
    )


TEXTS: Final[Mapping[str, Callable[[str], str]]] = {
    "ownerGroup": text,
    "instrumentGroup": text,
    "owner": text,
    "ownerEmail": email,
    "orcidOfOwner": text,
    "contactEmail": emails,
    "sourceFolder": text,
    "sourceFolderHost": host,
    "creationTime": moment,
    "startTime": moment,
    "endTime": moment,
    "datasetName": text,
    "description": text,
    "comment": text,
    "type": text,
    "creationLocation": text,
    "dataFormat": text,
    "runNumber": text,
    "license": text,
    "classification": text,
}
"""The fields that are one text each, with their rules."""

FIXED: Final[Mapping[str, Callable[[str], str]]] = {
    "orcidOfOwner": orcid,
    "classification": classification,
    "license": licence,
    "sourceFolder": folder,
}
"""Rules that SciCat does not look at, for a text that is the same for every dataset: there it is a mistake of somebody's."""

LISTS: Final = (
    "accessGroups", "principalInvestigators", "keywords", "proposalIds", "sampleIds", "instrumentIds", "inputDatasets",
    "usedSoftware",
)  # fmt: skip
"""The fields that are lists of texts, none of them empty."""


def problems(body: Mapping[str, Any]) -> list[str]:
    """What the server would not accept in a body for a new dataset: one `field: rule` for each mistake."""
    return [*_texts(body), *_others(body)]


def _texts(body: Mapping[str, Any]) -> Iterator[str]:
    for name in REQUIRED:
        if body.get(name) in (None, ""):
            yield f"{name}: must be given"
    for name, rule in TEXTS.items():
        value = body.get(name)
        if value in (None, ""):
            continue
        wrong = rule(value) if isinstance(value, str) else "should be a text"
        if wrong:
            yield f"{name}: {wrong}"


def _others(body: Mapping[str, Any]) -> Iterator[str]:
    for name in LISTS:
        value = body.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            yield f"{name}: should be a list of texts, none of them empty"
    for technique in body.get("techniques", []):
        if not all(isinstance(technique.get(key), str) and technique[key].strip() for key in ("pid", "name")):
            yield "techniques: each needs both a pid and a name"
    if not isinstance(body.get("isPublished", False), bool):
        yield "isPublished: should be true or false"
