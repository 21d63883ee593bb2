"""A dataset's pictures as SciCat's attachments: each once, as a data URI of bounded size.

v3's PUT and DELETE of attachments hit another one than the one that is named (seen at 4.27 and 5.2), so neither is used.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.answers import nonsense
from daemon.catalogs.http import segment
from daemon.catalogs.scicat.account import ServerError, in_flight, object_with
from daemon.errors import CatalogUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from daemon.catalogs.scicat.account import Account
    from daemon.model import RecordThumbnail

_CLOSED: Final = (403, 404)


class Pictures:
    """Attaches thumbnails. `attachments` lists those of a dataset, `largest` is the most bytes of one that is sent."""

    def __init__(self, account: Account, attachments: Callable[[str], list[dict[str, Any]]], largest: int) -> None:
        self._account = account
        self._attachments = attachments
        self._largest = largest

    def bring(
        self, pid: str, group: str, picture: RecordThumbnail, earlier: str | None, *, fresh: bool
    ) -> Mapping[str, Any]:
        """Make the picture be there once. `earlier`: the attachment that a former revision's picture became."""
        if len(picture.png) > self._largest:
            return {"how": "left out", "left": f"{len(picture.png)} bytes are more than `thumbnail` allows"}
        caption = picture.caption or picture.name
        uri = f"data:image/png;base64,{b64encode(picture.png).decode()}"
        for there in () if fresh else self._attachments(pid):
            if there.get("thumbnail") == uri and there.get("caption") == caption:
                return {"attachment": there.get("_id"), "how": "already there"}
            if earlier is not None and there.get("_id") == earlier:
                return self._repaint(pid, earlier, uri)
        body = {"ownerGroup": group, "caption": caption, "thumbnail": uri}
        try:
            answer = self._account.call("POST", f"/api/v3/datasets/{segment(pid)}/attachments", body=body)
            return {"attachment": object_with(answer, "_id")["_id"]}
        except ServerError:
            raise
        except CatalogUnavailable as error:
            raise in_flight(error) from None

    def _repaint(self, pid: str, attachment: str, uri: str) -> Mapping[str, Any]:
        """A later revision has another picture. Only v4 finds the attachment that is meant, and not every account may."""
        path = f"/api/v4/attachments/{segment(attachment)}"
        answer = self._account.call("PATCH", path, body={"thumbnail": uri}, also=_CLOSED)
        if not answer.ok:
            return {"attachment": attachment, "how": "left", "left": "our account may not replace a picture"}
        if not any(one.get("_id") == attachment and one.get("thumbnail") == uri for one in self._attachments(pid)):
            raise nonsense(answer)
        return {"attachment": attachment, "how": "replaced"}
