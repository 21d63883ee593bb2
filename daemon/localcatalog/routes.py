"""The API's route table: which handler answers which method and path below `/api/v3`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.localcatalog import account, datasets, describing, files, listing, reference_routes, requests
from daemon.localcatalog.wire import Answer, Refusal, Request, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from daemon.localcatalog.ingestion import Ingestion
    from daemon.localcatalog.uploads import Uploads

    Handler = Callable[[Request], Answer]
    Slow = bool | Callable[[Request], bool]
    Route = tuple[str, str, Handler, Slow]

_VARIABLE: Final = "*"


class Routes:
    """Finds a handler by method and path. `*` in a pattern is a variable part; fixed parts win."""

    def __init__(self, uploads: Uploads, ingestion: Ingestion) -> None:
        self._tree: dict[str, Any] = {}
        for method, pattern, handler, slow in table(uploads, ingestion):
            node = self._tree
            for part in pattern.strip("/").split("/"):
                node = node.setdefault(part, {})
            node.setdefault("", {})[method] = (handler, slow)

    def find(self, method: str, path: str) -> tuple[Handler, Slow, tuple[str, ...]]:
        """The handler, whether it is slow, and the variable parts. Raises Refusal 404 or 405."""
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
        handler, slow = methods[method]
        return handler, slow, tuple(names)


def table(uploads: Uploads, ingestion: Ingestion) -> Iterator[Route]:
    """Every route: method, pattern, handler, and whether it may take long (then it runs in the thread pool)."""
    yield from _account_and_references()
    yield from _datasets()
    yield from _resources()
    yield from _files(uploads, ingestion)


def _account_and_references() -> Iterator[Route]:
    yield "GET", "/health/live", account.live, False
    yield "GET", "/health/ready", account.ready, False
    yield "GET", "/account", account.whoami, False
    yield "GET", "/account/profile", account.profile, False
    yield "GET", "/account/verify", account.verify, False
    yield "GET", "/users/*/projects", partial(reference_routes.listing, kind="projects"), False
    for kind in ("projects", "instruments", "samples"):
        yield "GET", f"/{kind}", partial(reference_routes.listing, kind=kind), False
        yield "POST", f"/{kind}", partial(reference_routes.create, kind=kind), False
        yield "GET", f"/{kind}/search", partial(reference_routes.search, kind=kind), True
        yield "GET", f"/{kind}/*", partial(reference_routes.get, kind=kind), False
        yield "PATCH", f"/{kind}/*", partial(reference_routes.update, kind=kind), False


def _datasets() -> Iterator[Route]:
    yield "GET", "/datasets", datasets.list_all, True
    yield "POST", "/datasets", datasets.create, False
    yield "GET", "/datasets/facets", datasets.facets, True
    yield "GET", "/datasets/search", datasets.search, True
    yield "GET", "/datasets/*", datasets.get, False
    yield "PATCH", "/datasets/*", datasets.update, False
    yield "PUT", "/datasets/*/instrument", datasets.set_instrument, False
    yield "GET", "/keywords", describing.list_keywords, False
    yield "GET", "/datasets/*/keywords", describing.list_keywords, False
    yield "POST", "/datasets/*/keywords", describing.add_keyword, False
    yield "GET", "/datasets/*/thumbnails", describing.list_thumbnails, False
    yield "POST", "/datasets/*/thumbnails", describing.add_thumbnail, False
    yield "PATCH", "/datasets/*/thumbnails/*", describing.change_thumbnail, False
    yield "DELETE", "/datasets/*/thumbnails/*", describing.delete_thumbnail, False
    yield "POST", "/datasets/*/samples/*", describing.link_sample, False
    yield "DELETE", "/datasets/*/samples/*", describing.link_sample, False
    for kind in ("dataset", "sample"):
        for method in ("POST", "DELETE"):
            yield method, f"/{kind}s/*/children/*", partial(describing.link_child, kind=kind), False
    for direction in ("parents", "children"):
        yield "GET", f"/datasets/*/{direction}", partial(_linked_datasets, direction=direction), True
        yield "GET", f"/samples/*/{direction}", partial(_linked_samples, direction=direction), False


def _resource(request: Request) -> Answer:
    """GET /resources/{mfid}: the whole record, whatever kind of thing the id stands for."""
    kind = describing.kind_of(request.catalog, request.names[0])
    return datasets.get(request) if kind == "dataset" else reference_routes.get(request, kind)


def _resources() -> Iterator[Route]:
    yield "GET", "/resources/metadata/search", _search_metadata, True
    yield "GET", "/resources/*", _resource, False
    yield "GET", "/resources/*/metadata", describing.get_metadata, False
    yield "PATCH", "/resources/*/metadata", describing.merge_metadata, False
    yield "POST", "/resources/*/metadata", describing.write_metadata, False
    yield "GET", "/resources/*/links", describing.get_links, False
    yield "POST", "/resources/*/project", datasets.set_project, False
    yield "POST", "/resources/*/transfer_ownership", datasets.transfer, False
    yield "PUT", "/resources/*/access/public", datasets.set_public, False
    yield "DELETE", "/resources/*/access/public", datasets.set_public, False
    yield "POST", "/resources/*/delete", requests.request_deletion, False
    yield "GET", "/deletion_requests", requests.list_deletions, False
    yield "GET", "/deletion_requests/*", requests.get_deletion, False
    yield "PATCH", "/deletion_requests/*", requests.review_deletion, False


def _files(uploads: Uploads, ingestion: Ingestion) -> Iterator[Route]:
    yield "GET", "/files", files.list_all, True
    yield "GET", "/files/*", files.get, False
    yield "PATCH", "/files/*", files.update, False
    yield "DELETE", "/files/*", files.delete, False
    yield "GET", "/files/*/download_link", files.download_link, False
    yield "GET", "/datasets/*/files", files.list_of_dataset, False
    yield "POST", "/datasets/*/files", files.create, False
    yield "GET", "/datasets/*/download_links", files.download_links, False
    yield "POST", "/datasets/*/upload/multipart/initiate", uploads.initiate, False
    yield "POST", "/files/*/upload/multipart/initiate", uploads.initiate_replacement, False
    yield "GET", "/datasets/*/upload/multipart/*", uploads.status, False
    yield "POST", "/datasets/*/upload/multipart/*/parts", uploads.sign, False
    yield "DELETE", "/datasets/*/upload/multipart/*", uploads.abort, False
    yield "POST", "/datasets/*/upload/multipart/complete", uploads.complete, uploads.needs_reading
    yield "POST", "/datasets/*/upload/initiate", uploads.initiate_sequential, False
    yield "POST", "/datasets/*/upload/initiate/multipart", uploads.initiate_token, False
    yield "POST", "/datasets/*/upload/complete", uploads.complete, uploads.needs_reading
    yield "GET", "/ingestors", ingestion.list_ingestors, False
    yield "POST", "/files/*/ingest", ingestion.request, False
    yield "GET", "/ingestion_requests", requests.list_ingestions, False
    yield "GET", "/ingestion_requests/*", requests.get_ingestion, False
    yield "PATCH", "/ingestion_requests/*", requests.change_ingestion, False


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
