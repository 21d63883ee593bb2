"""The pages to look at: newest datasets, one dataset, sessions, pictures and downloads. Reads only.

What is stored here is hostile: names and metadata are escaped by the templates, pictures are served only if their
bytes are a raster picture, files are only ever saved, never shown, and nothing on a page can run or load from
elsewhere (Content-Security-Policy). Who may look is decided before a request gets here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from importlib import resources
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from daemon.errors import StateError
from daemon.localcatalog import presenting, reading, tree, views
from daemon.localcatalog.content import BLOCK, content_path
from daemon.localcatalog.folder import PACKAGE, LocalCatalog
from daemon.mfid import is_mfid
from daemon.store.database import named_queries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from daemon.store.database import Row

PAGE: Final = 48
SESSIONS: Final = 20
SAFE: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STATIC: Final[Mapping[str, str]] = {"catalog.css": "text/css; charset=utf-8", "mark.svg": "image/svg+xml"}
_FOREVER: Final = "private, max-age=31536000, immutable"
_ASK_AGAIN: Final = "private, no-cache"
_AFTER_ALL: Final = "\U0010ffff"
_LARGEST_ID: Final = 2**63 - 1


def _read_static(name: str) -> bytes:
    return resources.files(PACKAGE).joinpath("static", name).read_bytes()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"unit_gap": views.unit_gap, "breakable": views.breakable}
    environment.globals["style_version"] = hashlib.sha256(_read_static("catalog.css")).hexdigest()[:12]
    return environment


_TEMPLATES: Final = _environment()


def routes(catalog: LocalCatalog) -> list[BaseRoute]:
    """The routes of the pages. The last one answers every address that nobody else knows with a page that says so."""
    pages = Pages(catalog, named_queries(PACKAGE, "pages.sql"))
    return [
        Route("/", _explained(pages.grid)),
        Route("/sessions", _explained(pages.sessions)),
        Route("/datasets/{mfid}", _explained(pages.dataset)),
        Route("/datasets/{mfid}/record.json", _explained(pages.record)),
        Route("/thumbnails/{number:int}.png", _explained(pages.picture)),
        Route("/files/{mfid}", _explained(pages.download)),
        Route("/static/{name}", static),
        Route("/favicon.ico", favicon),
        Route("/{rest:path}", unknown),
    ]


def message(status: int, title: str, text: str, *, way_out: bool = True) -> Response:
    """A page that says one thing: not found, no access, not now."""
    return _page("message.html", status, code=int(status), title=title, text=text, way_out=way_out, section="")


def favicon(request: Request) -> Response:
    """Browsers ask for this beside anything that is no page of ours, such as a record's JSON."""
    del request
    return RedirectResponse("/static/mark.svg", status_code=308)


def static(request: Request) -> Response:
    """The style sheet and the mark: the only files that pages load, and the only ones that need no log-in."""
    name = request.path_params["name"]
    if name not in _STATIC:
        return _missing("There is no such file.")
    data = _read_static(name)
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "public, max-age=3600"
    return _kept(request, data, etag, _STATIC[name], kept)


def unknown(request: Request) -> Response:
    """Say that there is no such page; programs that ask the API get its own answer."""
    if request.url.path.startswith("/api/"):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return _missing("There is no page at this address. It may have been mistyped, or the link is too old.")


@dataclass(frozen=True)
class Pages:
    """The pages of one catalog."""

    catalog: LocalCatalog
    queries: Mapping[str, str]

    def grid(self, request: Request) -> Response:
        """Newest datasets that match the filters, a page of them."""
        chosen = presenting.wanted(request.query_params)
        before = request.query_params.get("before", "")[:64] or None
        listing = reading.datasets(self.catalog, chosen, before, PAGE)
        cards = self._cards(listing.cards)
        unused = not cards and not self._select("any_dataset")
        return _page(
            "grid.html",
            section="datasets",
            heading=presenting.heading(chosen),
            filters={name: getattr(chosen, name) or "" for name in ("text", "session", "measurement", "instrument")},
            kept=presenting.kept(chosen),
            chips=presenting.chips(chosen),
            choices=self._choices(chosen),
            session=self._session(chosen.session) if chosen == reading.Filter(session=chosen.session) else None,
            cards=cards,
            older=presenting.address(chosen, listing.next_before) if listing.next_before else "",
            newer=self._newer(chosen, listing.cards[0].unique_id) if before and cards else "",
            unused=unused,
            beyond=before is not None,
        )

    def dataset(self, request: Request) -> Response:
        """One dataset: pictures, columns, files, metadata, where it came from, what it belongs to."""
        detail = self._detail(request)
        if detail is None:
            return _missing("There is no dataset with this id. It may have been removed, or the link is incomplete.")
        mfid = detail.card.unique_id
        rows = self._select("provided", unique_id=mfid)
        return _page(
            "dataset.html",
            section="datasets",
            dataset=presenting.card(detail.card, {}),
            pictures=[
                {"url": presenting.picture_link(entry.id, entry.sha256), "caption": presenting.caption(entry.name)}
                for entry in detail.thumbnails
            ],
            attributes=presenting.attributes(detail, views.names(rows[0]["provided"] if rows else None)),
            warnings=presenting.warnings(detail.metadata),
            metadata=tree.arrange(presenting.readable(detail.metadata)),
            files=[presenting.file(entry, detail.ingestions) for entry in detail.files],
            total=views.size(detail.card.size),
            links=presenting.link_groups(detail.links),
            keywords=[
                {"text": word, "link": presenting.address(reading.Filter(keyword=word))} for word in detail.keywords
            ],
            json_link=f"/datasets/{mfid}/record.json",
        )

    def record(self, request: Request) -> Response:
        """All that is known of one dataset, as JSON."""
        detail = self._detail(request)
        if detail is None:
            return _missing("There is no dataset with this id.")
        # The metadata is not copied level by level: it may be nested deeper than that could follow.
        body = json.dumps({**asdict(replace(detail, metadata={})), "metadata": detail.metadata})
        return Response(body, media_type="application/json", headers={**SAFE, "Cache-Control": _ASK_AGAIN})

    def sessions(self, request: Request) -> Response:
        """Sessions, the one with the newest dataset first, each with its newest pictures."""
        before = request.query_params.get("before", "")[:64]
        rows = self._select("sessions_page", before=before or _AFTER_ALL, count=SESSIONS + 1)
        shown = rows[:SESSIONS]
        return _page(
            "sessions.html",
            section="sessions",
            sessions=[self._session_line(row) for row in shown],
            older="/sessions?" + urlencode({"before": shown[-1]["newest"]}) if len(rows) > SESSIONS else "",
            newer="/sessions" if before else "",
        )

    def picture(self, request: Request) -> Response:
        """A thumbnail's bytes, if they are a raster picture. With its hash in the address it may be kept for ever."""
        number = request.path_params["number"]
        rows = self._select("picture", id=number) if number <= _LARGEST_ID else []
        kind = views.picture_type(rows[0]["image"]) if rows else None
        if not rows or kind is None:
            return _missing("There is no picture at this address.")
        sha256 = rows[0]["sha256"]
        kept = _FOREVER if request.query_params.get("v") == sha256[:16] else _ASK_AGAIN
        return _kept(request, rows[0]["image"], f'"{sha256}"', kind, kept)

    def download(self, request: Request) -> Response:
        """A file's bytes, to be saved under its own name; never shown, whatever it is."""
        rows = self._select("content", mfid=request.path_params["mfid"])
        if not rows or rows[0]["content"] is None:
            return _missing("There is no file at this address, or its content is kept elsewhere.")
        path = content_path(self.catalog, rows[0]["content"])
        if not path.is_file():
            return message(
                HTTPStatus.GONE,
                "The content is missing",
                f"The catalog knows {rows[0]['filename']}, but its content is not in the catalog's folder any more.",
            )
        return _Saved(
            path,
            media_type="application/octet-stream",
            headers={
                **SAFE,
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Content-Disposition": views.attachment(rows[0]["filename"]),
                "Cache-Control": _ASK_AGAIN,
            },
        )

    def _select(self, name: str, **values: Any) -> list[Row]:
        return self.catalog.reader.select(self.queries[name], values)

    def _detail(self, request: Request) -> reading.Detail | None:
        mfid = request.path_params["mfid"]
        return reading.dataset(self.catalog, mfid) if is_mfid(mfid) else None

    def _cards(self, found: Sequence[reading.Card]) -> list[presenting.CardView]:
        numbers = [card.thumbnail for card in found if card.thumbnail is not None]
        marks = ", ".join("?" * len(numbers))
        rows = self.catalog.reader.select(f"SELECT id, sha256 FROM thumbnails WHERE id IN ({marks})", numbers)
        hashes = {row["id"]: row["sha256"] for row in rows}
        return [presenting.card(card, hashes) for card in found]

    def _choices(self, chosen: reading.Filter) -> dict[str, list[str]]:
        """What the filters offer: what there is, and what is chosen even if there is none of it."""
        offered = {
            "sessions": [row["value"] for row in self._select("recent_sessions")],
            "measurements": [row["value"] for row in self._select("measurements")],
            "instruments": [row["value"] for row in self._select("instruments")],
        }
        for name, value in (("measurements", chosen.measurement), ("instruments", chosen.instrument)):
            if value and value not in offered[name]:
                offered[name].append(value)
        return offered

    def _newer(self, chosen: reading.Filter, first: str) -> str:
        """The address of the page before the one that begins with `first`; empty if that is the newest."""
        conditions, values = reading.where(self.catalog, chosen)
        rows = self.catalog.reader.select(
            f"SELECT d.unique_id FROM datasets d WHERE {' AND '.join(conditions)} AND d.unique_id > ? "
            "ORDER BY d.unique_id LIMIT ?",
            [*values, first, PAGE + 1],
        )
        if not rows:
            return ""
        return presenting.address(chosen, rows[PAGE]["unique_id"] if len(rows) > PAGE else None)

    def _session(self, name: str | None) -> dict[str, Any] | None:
        rows = self._select("session_summary", session=name) if name else []
        return self._summary(rows[0], name) if rows and name and rows[0]["count"] else None

    def _session_line(self, row: Row) -> dict[str, Any]:
        name = row["name"]
        strip = [
            {
                "id": entry["unique_id"],
                "name": entry["name"] or presenting.NAMELESS,
                "kind": entry["data_format"] or "",
                "picture": presenting.picture_link(entry["thumbnail"], entry["sha256"]),
            }
            for entry in self._select("session_strip", session=name)
        ]
        link = presenting.address(reading.Filter(session=name))
        return {**self._summary(row, name), "name": name, "link": link, "cards": strip}

    def _summary(self, row: Row, name: str) -> dict[str, Any]:
        instruments = [entry["value"] for entry in self._select("session_instruments", session=name)]
        return {"count": row["count"], "times": views.period(row["first"], row["last"]), "instruments": instruments}


class _Saved(FileResponse):
    """A file in blocks that suit files of gigabytes."""

    chunk_size = BLOCK


def _explained(page: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """The page; or, if the disk does not let us read (a full one stops a search), one that says so."""

    def answer(request: Request) -> Response:
        try:
            return page(request)
        except StateError as error:
            return message(HTTPStatus.SERVICE_UNAVAILABLE, "Not now", str(error))
        except RecursionError:  # within a few levels of what the API itself takes
            text = (
                "The metadata of this dataset is nested too deeply for a page. Its files can still be had by the API."
            )
            return message(HTTPStatus.INTERNAL_SERVER_ERROR, "Too deep to show", text)

    return answer


def _page(template: str, status: int = HTTPStatus.OK, **values: Any) -> Response:
    body = _TEMPLATES.get_template(template).render(**values)
    return HTMLResponse(body.encode("utf-8", "replace"), status, headers={**SAFE, "Cache-Control": "private, no-cache"})


def _missing(text: str) -> Response:
    return message(HTTPStatus.NOT_FOUND, "Nothing here", text)


def _kept(request: Request, data: bytes, etag: str, kind: str, kept: str) -> Response:
    """Bytes that a browser may keep: 304 if it has them already."""
    headers = {**SAFE, "ETag": etag, "Cache-Control": kept}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(data, media_type=kind, headers=headers)
