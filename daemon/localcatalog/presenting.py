"""From what was read to what a page shows: cards, attributes with where they came from, files, links, filters. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from daemon.localcatalog import views
from daemon.localcatalog.reading import Filter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from daemon.localcatalog.reading import Card, Detail, FileEntry, IngestionEntry, LinkEntry

NAMELESS: Final = "Unnamed dataset"
_LONGEST: Final = 300
_MOST_LINKS: Final = 100
_SECOND: Final = 7  # letters of an id that sort by time; the parts of one measurement share them
_PARAMETERS: Final[Mapping[str, str]] = {
    "text": "q",
    "session": "session",
    "measurement": "measurement",
    "instrument": "instrument",
    "data_format": "format",
    "project": "project",
    "keyword": "keyword",
}
_SOURCES: Final[Mapping[str, str]] = {
    "session": "from the session",
    "sidecar": "from a file beside the data",
    "path": "from the folder's name",
    "configuration": "from the instrument's configuration",
    "ingestor": "read from the file",
    "default": "a default",
}
_STATUSES: Final[Mapping[str, str]] = {
    "requested": "waiting to be read",
    "started": "being read now",
    "complete": "read",
    "failed": "could not be read",
    "not supported": "no reader knows this kind of file; it is kept as it is",
    "not_requested": "not read here; its metadata came with it",
    "file not found": "its content was not found",
}


@dataclass(frozen=True, slots=True)
class CardView:
    """A dataset in the grid. `picture` is its thumbnail's address, or empty; `kind` stands in its place."""

    id: str
    name: str
    measurement: str
    instrument: str
    session: str
    session_link: str
    time: views.Moment | None
    picture: str
    kind: str


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in use; `without` is the address of the same list without it."""

    name: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class AttributeView:
    """A line about a dataset: what, its value, and where it came from if that is known."""

    label: str
    text: str
    source: str = ""
    link: str = ""
    code: bool = False
    moment: views.Moment | None = None


@dataclass(frozen=True, slots=True)
class FileView:
    """A file of a dataset; `link` downloads it, empty if its content is elsewhere."""

    name: str
    size: str
    bytes: str
    sha256: str
    link: str
    ingestion: str


@dataclass(frozen=True, slots=True)
class Linked:
    """Another dataset or sample."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Links of one kind; `more` tells that not all are shown."""

    title: str
    entries: tuple[Linked, ...]
    more: bool


def wanted(query: Mapping[str, str]) -> Filter:
    """The filter that an address asks for; empty parameters stand for none, and no text is longer than a name."""
    found = {name: _clean(query.get(parameter, "")) for name, parameter in _PARAMETERS.items()}
    return Filter(**{name: value for name, value in found.items() if value})


def _clean(text: str) -> str:
    return text.replace("\x00", " ").strip()[:_LONGEST]


def address(chosen: Filter, before: str | None = None) -> str:
    """The grid's address for a filter, and for the page before an id."""
    values = asdict(chosen)
    given = {parameter: values[name] for name, parameter in _PARAMETERS.items() if values[name]}
    if before is not None:
        given["before"] = before
    return "/?" + urlencode(given) if given else "/"


def chips(chosen: Filter) -> tuple[Chip, ...]:
    """The filters in use, each with the way to be rid of it."""
    active = {field.name: getattr(chosen, field.name) for field in fields(chosen)}
    found = []
    for name in _PARAMETERS:
        if active.get(name):
            rest = Filter(**{key: value for key, value in active.items() if key != name})
            label = {"text": "Search", "data_format": "Format"}.get(name, name.capitalize())
            found.append(Chip(label, str(active[name]), address(rest)))
    return tuple(found)


def kept(chosen: Filter) -> dict[str, str]:
    """The filters that the form has no field for; it carries them along."""
    extra = {"data_format": chosen.data_format, "project": chosen.project, "keyword": chosen.keyword}
    return {_PARAMETERS[name]: value for name, value in extra.items() if value}


def heading(chosen: Filter) -> str:
    """What the grid is called."""
    if chosen.session and chosen == Filter(session=chosen.session):
        return chosen.session
    if chosen.text:
        return f"Datasets matching “{chosen.text}”"
    return "Datasets" if chosen != Filter() else "Newest datasets"


def card(found: Card, hashes: Mapping[int, str]) -> CardView:
    """A dataset for the grid. `hashes`: sha256 of thumbnails by their id."""
    return CardView(
        id=found.unique_id,
        name=found.name or NAMELESS,
        measurement=found.measurement or "",
        instrument=found.instrument or "",
        session=found.session or "",
        session_link=address(Filter(session=found.session)),
        time=views.moment(found.timestamp),
        picture=picture_link(found.thumbnail, hashes.get(found.thumbnail or 0)),
        kind=found.data_format or "",
    )


def picture_link(thumbnail: int | None, sha256: str | None) -> str:
    """A thumbnail's address; with its hash in it, so that browsers may keep it for ever."""
    if thumbnail is None:
        return ""
    return f"/thumbnails/{thumbnail}.png" + (f"?v={sha256[:16]}" if sha256 else "")


def attributes(detail: Detail, provided: Iterable[str]) -> tuple[AttributeView, ...]:
    """The attributes of a dataset in the order in which people ask for them; those without a value are left out."""
    found, more = detail.card, detail.attributes
    sources = _sources(detail, provided)
    project = " ".join(
        part for part in (found.project_id, _titled(more.get("project_title"), found.project_id)) if part
    )
    lines = [
        AttributeView("Id", found.unique_id, code=True),
        _attribute("Measurement", found.measurement, sources.get("measurement"), Filter(measurement=found.measurement)),
        _attribute("Instrument", found.instrument, sources.get("instrument_name"), Filter(instrument=found.instrument)),
        AttributeView("Measured", "", sources.get("timestamp", ""), moment=views.moment(found.timestamp)),
        _attribute("Session", found.session, sources.get("session_name"), Filter(session=found.session)),
        _attribute("Project", project, sources.get("project_id"), Filter(project=found.project_id)),
        AttributeView("Data type", str(more.get("data_type") or ""), sources.get("data_type", "")),
        _attribute("Format", found.data_format, sources.get("data_format"), Filter(data_format=found.data_format)),
        AttributeView("Owner", str(more.get("owner") or ""), sources.get("owner_orcid", "")),
        AttributeView("Read by", _ingestor(detail.metadata)),
        AttributeView("Path at the instrument", _path(detail.metadata), code=True),
        AttributeView("Arrived", "", moment=views.moment(found.creation_time)),
        AttributeView("Visible to", "everyone" if more.get("public") else ""),
    ]
    return tuple(line for line in lines if line.text or line.moment)


def _attribute(label: str, value: str | None, source: str | None, chosen: Filter) -> AttributeView:
    return AttributeView(label, value or "", source or "", address(chosen))


def _titled(title: Any, slug: str | None) -> str:
    return f"({title})" if title and title != slug else ""


def _own(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    own = metadata.get("labferry")
    return own if isinstance(own, dict) else {}


def _ingestor(metadata: Mapping[str, Any]) -> str:
    words = (_own(metadata).get("ingestor"), _own(metadata).get("ingestor_version"))
    return " ".join(word for word in words if isinstance(word, str))


def _path(metadata: Mapping[str, Any]) -> str:
    path = _own(metadata).get("path")
    return path if isinstance(path, str) else ""


def _sources(detail: Detail, provided: Iterable[str]) -> dict[str, str]:
    """Where attributes came from: what the sender noted; else those that nobody provided were read from the file here."""
    noted = _own(detail.metadata).get("sources")
    if isinstance(noted, dict):
        return {str(name): _SOURCES.get(str(source), "") for name, source in noted.items()}
    given = set(provided)
    names = ("measurement", "timestamp", "session_name", "data_type", "data_format", "instrument_name")
    read_here = any(entry.status == "complete" and entry.ingestor for entry in detail.ingestions)
    return {name: _SOURCES["ingestor"] for name in names if read_here and name not in given}


def warnings(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """What the ingestor wants people to know."""
    found = _own(metadata).get("warnings")
    return tuple(item for item in found if isinstance(item, str))[:50] if isinstance(found, list) else ()


def readable(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata without what the page shows elsewhere, and without what only programs want (the codes of units)."""
    shown = {"ingestor", "ingestor_version", "path", "warnings", "sources", "units"}
    rest = {name: value for name, value in _own(metadata).items() if name not in shown}
    kept = {name: value for name, value in metadata.items() if name != "labferry" or not isinstance(value, dict)}
    return {**kept, "labferry": rest} if rest else kept


def caption(name: str) -> str:
    """A picture's caption from its file name."""
    stem = name.rsplit(".", 1)[0] if name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".webp")) else name
    return stem.replace("_", " ").strip()


def file(found: FileEntry, ingestions: Iterable[IngestionEntry]) -> FileView:
    """A file and how its reading went (its last ingestion request)."""
    own = [entry for entry in ingestions if entry.filename == found.filename]
    return FileView(
        name=found.filename,
        size=views.size(found.size),
        bytes="" if found.size is None else f"{found.size} bytes",
        sha256=found.sha256 or "",
        link=f"/files/{quote(found.mfid, safe='')}" if found.downloadable else "",
        ingestion=_told(own[-1]) if own else "",
    )


def _told(entry: IngestionEntry) -> str:
    told = _STATUSES.get(entry.status, entry.status)
    reader = f" by {entry.ingestor}" if entry.ingestor and entry.status == "complete" else ""
    words = f": {entry.message}" if entry.message else ""
    return f"Ingestion: {told}{reader}{words}"


def link_groups(links: Iterable[LinkEntry]) -> tuple[LinkGroup, ...]:
    """Parents, children and samples, each under its title, by the second of their ids and then by name."""
    titles = {"source": "Part of", "target": "Contains", "undirected": "Samples"}
    found = sorted(links, key=lambda link: (link.unique_id[:_SECOND], link.name or ""))
    counts = Counter(link.direction for link in found)
    return tuple(
        LinkGroup(
            title,
            tuple(_linked(link) for link in found if link.direction == direction)[:_MOST_LINKS],
            counts[direction] > _MOST_LINKS,
        )
        for direction, title in titles.items()
        if counts[direction]
    )


def _linked(link: LinkEntry) -> Linked:
    url = f"/datasets/{quote(link.unique_id, safe='')}" if link.type == "dataset" else ""
    return Linked(link.unique_id, link.name or NAMELESS, url)
