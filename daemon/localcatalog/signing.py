"""Links that carry their own permission: an HMAC over what they allow and until when, keyed by the catalog's token."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from daemon.localcatalog.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from daemon.localcatalog.folder import LocalCatalog

LIFETIME: Final = 3600
_SIGNATURE: Final = "X-Goog-Signature"  # the name that Crucible's storage uses, so clients keep it out of their logs


def sign(catalog: LocalCatalog, path: str, query: Mapping[str, str]) -> tuple[str, str]:
    """A path with its permission (`/path?…&X-Goog-Signature=…`) and when it ends (ISO 8601)."""
    expires = int(catalog.clock.now().timestamp()) + LIFETIME
    values = {**query, "expires": str(expires)}
    values[_SIGNATURE] = _signature(catalog, path, values)
    ends = datetime.fromtimestamp(expires, UTC).isoformat().replace("+00:00", "Z")
    return f"{quote(path)}?{urlencode(values)}", ends


def check(catalog: LocalCatalog, path: str, query: Mapping[str, list[str]]) -> dict[str, str]:
    """The signed values of a link. Raises Refusal 403 if the link is forged, changed or too old."""
    values = {name: items[-1] for name, items in query.items()}
    given = values.pop(_SIGNATURE, "")
    if not hmac.compare_digest(given.encode(), _signature(catalog, path, values).encode()):
        raise Refusal(403, "The signature of this link does not match")
    if int(values["expires"]) < catalog.clock.now().timestamp():
        raise Refusal(403, "This link has expired; ask for a new one")
    return values


def _signature(catalog: LocalCatalog, path: str, values: Mapping[str, str]) -> str:
    text = "\n".join([path, *(f"{name}={values[name]}" for name in sorted(values))])
    return hmac.new(catalog.token.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
