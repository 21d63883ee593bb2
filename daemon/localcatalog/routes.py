"""The API's route table: which handler answers which method and path below `/api/v3`."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import account, datasets, describing, files, listing, reference_routes, requests
from daemon.localcatalog.wire import Answer, Refusal, Request, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.localcatalog.ingestion import Ingestion
    from daemon.localcatalog.uploads import Uploads

    Handler = Callable[[Request], Answer]
    Choice = Callable[[Request], "Manner"]
    Route = tuple[str, str, Handler, "Manner | Choice"]

_VARIABLE: Final = "*"


class Manner(Enum):
    """How a handler runs: in the event loop at once; there, its one transaction in a shared commit; in the thread pool.

    Shared may be only what touches nothing but the database: a file must not go before the row that named it. Passing
    is shared, too, and what a crash of the machine may undo, because its sender looks before going on.
    """

    NOW = "now"
    SHARED = "shared"
    PASSING = "passing"
    POOL = "pool"


class Routes:
    """Finds a handler by method and path. `*` in a pattern is a variable part; fixed parts win."""

    def __init__(self, uploads: Uploads, ingestion: Ingestion) -> None:
        self._tree: dict[str, Any] = {}
        for method, pattern, handler, manner in table(uploads, ingestion):
            node = self._tree
            for part in pattern.strip("/").split("/"):
                node = node.setdefault(part, {})
            node.setdefault("", {})[method] = (handler, manner)

    def find(self, method: str, path: str) -> tuple[Handler, Manner | Choice, tuple[str, ...]]:
        """The handler, how it runs (or who says so for a request), and the variable parts. Raises Refusal 404 or 405."""
        node, names = self._tree, []
        for part in path.strip("/").split("/"):
            if part and part in node:
                node = node[part]
            elif part and _VARIABLE in node:
                node = node[_VARIABLE]
                names.append(part)
            else:
                raise Refusal(404, "Not Found")
        methods = node.get("")
        if methods is None:
            raise Refusal(404, "Not Found")
        if method not in methods:
            raise Refusal(405, "Method Not Allowed", {"Allow": ", ".join(methods)})
        handler, manner = methods[method]
        return handler, manner, tuple(names)


def table(uploads: Uploads, ingestion: Ingestion) -> Iterator[Route]:
    """Every route: method, pattern, handler, and how it runs."""
    yield from _account_and_references()
    yield from _datasets()
    yield from _resources()
    yield from _files(uploads, ingestion)


def _account_and_references() -> Iterator[Route]:
    yield "GET", "/health/live", account.live, Manner.NOW
    yield "GET", "/health/ready", account.ready, Manner.NOW
    yield "GET", "/account", account.whoami, Manner.NOW
    yield "GET", "/account/profile", account.profile, Manner.NOW
    yield "GET", "/account/verify", account.verify, Manner.NOW
    yield "GET", "/users/*/projects", partial(reference_routes.listing, kind="projects"), Manner.NOW
    for kind in ("projects", "instruments", "samples"):
        yield "GET", f"/{kind}", partial(reference_routes.listing, kind=kind), Manner.NOW
        yield "POST", f"/{kind}", partial(reference_routes.create, kind=kind), Manner.NOW
        yield "GET", f"/{kind}/search", partial(reference_routes.search, kind=kind), Manner.POOL
        yield "GET", f"/{kind}/*", partial(reference_routes.get, kind=kind), Manner.NOW
        yield "PATCH", f"/{kind}/*", partial(reference_routes.update, kind=kind), Manner.NOW


def _datasets() -> Iterator[Route]:
    yield "GET", "/datasets", datasets.list_all, Manner.POOL
    yield "POST", "/datasets", datasets.create, Manner.SHARED
    yield "GET", "/datasets/facets", datasets.facets, Manner.POOL
    yield "GET", "/datasets/search", datasets.search, Manner.POOL
    yield "GET", "/datasets/*", datasets.get, Manner.NOW
    yield "PATCH", "/datasets/*", datasets.update, Manner.SHARED
    yield "PUT", "/datasets/*/instrument", datasets.set_instrument, Manner.SHARED
    yield "GET", "/keywords", describing.list_keywords, Manner.NOW
    yield "GET", "/datasets/*/keywords", describing.list_keywords, Manner.NOW
    yield "POST", "/datasets/*/keywords", describing.add_keyword, Manner.SHARED
    yield "GET", "/datasets/*/thumbnails", describing.list_thumbnails, Manner.NOW
    yield "POST", "/datasets/*/thumbnails", describing.add_thumbnail, Manner.SHARED
    yield "PATCH", "/datasets/*/thumbnails/*", describing.change_thumbnail, Manner.SHARED
    yield "DELETE", "/datasets/*/thumbnails/*", describing.delete_thumbnail, Manner.NOW
    yield "POST", "/datasets/*/samples/*", describing.link_sample, Manner.SHARED
    yield "DELETE", "/datasets/*/samples/*", describing.link_sample, Manner.SHARED
    for kind in ("dataset", "sample"):
        for method in ("POST", "DELETE"):
            yield method, f"/{kind}s/*/children/*", partial(describing.link_child, kind=kind), Manner.SHARED
    for direction in ("parents", "children"):
        yield "GET", f"/datasets/*/{direction}", partial(_linked_datasets, direction=direction), Manner.POOL
        yield "GET", f"/samples/*/{direction}", partial(_linked_samples, direction=direction), Manner.NOW


def _resource(request: Request) -> Answer:
    """GET /resources/{mfid}: the whole record, whatever kind of thing the id stands for."""
    kind = describing.kind_of(request.catalog, request.names[0])
    return datasets.get(request) if kind == "dataset" else reference_routes.get(request, kind)


def _resources() -> Iterator[Route]:
    yield "GET", "/resources/metadata/search", _search_metadata, Manner.POOL
    yield "GET", "/resources/*", _resource, Manner.NOW
    yield "GET", "/resources/*/metadata", describing.get_metadata, Manner.NOW
    yield "PATCH", "/resources/*/metadata", describing.merge_metadata, Manner.SHARED
    yield "POST", "/resources/*/metadata", describing.write_metadata, Manner.SHARED
    yield "GET", "/resources/*/links", describing.get_links, Manner.NOW
    yield "POST", "/resources/*/project", datasets.set_project, Manner.NOW
    yield "POST", "/resources/*/transfer_ownership", datasets.transfer, Manner.NOW
    yield "PUT", "/resources/*/access/public", datasets.set_public, Manner.SHARED
    yield "DELETE", "/resources/*/access/public", datasets.set_public, Manner.SHARED
    yield "POST", "/resources/*/delete", requests.request_deletion, Manner.NOW
    yield "GET", "/deletion_requests", requests.list_deletions, Manner.NOW
    yield "GET", "/deletion_requests/*", requests.get_deletion, Manner.NOW
    yield "PATCH", "/deletion_requests/*", requests.review_deletion, Manner.NOW


def _files(uploads: Uploads, ingestion: Ingestion) -> Iterator[Route]:
    yield "GET", "/files", files.list_all, Manner.POOL
    yield "GET", "/files/*", files.get, Manner.NOW
    yield "PATCH", "/files/*", files.update, Manner.NOW
    yield "DELETE", "/files/*", files.delete, Manner.NOW
    yield "GET", "/files/*/download_link", files.download_link, Manner.NOW
    yield "GET", "/datasets/*/files", files.list_of_dataset, Manner.NOW
    yield "POST", "/datasets/*/files", files.create, Manner.NOW
    yield "GET", "/datasets/*/download_links", files.download_links, Manner.NOW
    yield "POST", "/datasets/*/upload/multipart/initiate", uploads.initiate, Manner.PASSING
    yield "POST", "/files/*/upload/multipart/initiate", uploads.initiate_replacement, Manner.PASSING
    yield "GET", "/datasets/*/upload/multipart/*", uploads.status, Manner.NOW
    yield "POST", "/datasets/*/upload/multipart/*/parts", uploads.sign, Manner.NOW
    yield "DELETE", "/datasets/*/upload/multipart/*", uploads.abort, Manner.NOW
    yield "POST", "/datasets/*/upload/multipart/complete", uploads.complete, _unless(uploads.is_small)
    yield "POST", "/datasets/*/upload/initiate", uploads.initiate_sequential, Manner.NOW
    yield "POST", "/datasets/*/upload/initiate/multipart", uploads.initiate_token, Manner.NOW
    yield "POST", "/datasets/*/upload/complete", uploads.complete, _unless(uploads.is_small)
    yield "GET", "/ingestors", ingestion.list_ingestors, Manner.NOW
    yield "POST", "/files/*/ingest", ingestion.request, Manner.SHARED
    yield "GET", "/ingestion_requests", requests.list_ingestions, Manner.NOW
    yield "GET", "/ingestion_requests/*", requests.get_ingestion, Manner.NOW
    yield "PATCH", "/ingestion_requests/*", requests.change_ingestion, Manner.NOW


def _linked_datasets(request: Request, direction: str) -> Answer:
    """GET /datasets/{mfid}/parents or /children."""
    return answer(listing.linked(request, direction, datasets.record))


def _linked_samples(request: Request, direction: str) -> Answer:
    """GET /samples/{mfid}/parents or /children."""
    wanted = "source" if direction == "parents" else "target"
    links = describing.links_of(request.catalog, describing.known(request.catalog, request.names[0]))
    found = [link["unique_id"] for link in links if link["direction"] == wanted]
    return answer({"items": reference_routes.by_ids(request, "samples", found), "total": len(found)})


def _search_metadata(request: Request) -> Answer:
    """GET /resources/metadata/search."""
    return answer(listing.search_metadata(request))


def _unless(at_once: Callable[[Request], bool]) -> Choice:
    """In the thread pool, but for requests that are done in a moment."""
    return lambda request: Manner.NOW if at_once(request) else Manner.POOL
