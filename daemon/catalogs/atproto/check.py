"""Whether publishing would work: account, limits, and that what goes there is public. Writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daemon.catalogs.catalog import Finding, Health
from daemon.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.catalogs.atproto.session import Session
    from daemon.catalogs.atproto.storage import Storage

_MIB = 2**20


def check(session: Session, storage: Storage, max_size: int | None) -> Sequence[Finding]:
    """One sentence each; see `daemon.catalogs.catalog.Catalog.check`."""
    try:
        limit = storage.limit()
        identity = session.identity()
    except CatalogError as error:
        return [Finding(Health.FAILED, str(error))]
    largest = "" if max_size is None else f", datasets of at most {max_size / 10**6:.0f} MB"
    return [
        Finding(Health.OK, f"The account is {identity.handle} ({identity.did})."),
        Finding(Health.OK, f"Shards have at most {limit / _MIB:.0f} MiB{largest}."),
        Finding(Health.OK, "Only datasets with `public: true` go there, and those are public for good."),
    ]
