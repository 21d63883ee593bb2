"""The preflight of a Crucible catalog: one plain sentence for everything that a delivery needs. Writes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.catalog import Finding, Health
from daemon.errors import CatalogError
from daemon.mfid import is_mfid

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from daemon.catalogs.http import HttpClient
    from daemon.clock import Clock

_SOON: Final = timedelta(days=14)


def check(
    client: HttpClient, clock: Clock, project_id: str | None, instrument_id: str | None, owner: str | None
) -> list[Finding]:
    """Ask for health, key, rights, project and instrument. Stops early if nothing answers. Never raises."""
    findings = [_finding(partial(_alive, client))]
    if findings[0].health is Health.FAILED:
        return findings
    findings.append(_finding(partial(_key, client, clock)))
    if findings[-1].health is Health.FAILED:
        return findings
    findings.append(_finding(partial(_rights, client, owner)))
    for kind, slug in (("project", project_id), ("instrument", instrument_id)):
        if slug:
            findings.append(_finding(partial(_known, client, kind, slug)))
    return findings


def _finding(look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except CatalogError as error:
        return Finding(Health.FAILED, str(error))


def _alive(client: HttpClient) -> Finding:
    client.call("GET", "/health/live").mapping()
    return Finding(Health.OK, f"{client.catalog} answers.")


def _key(client: HttpClient, clock: Clock) -> Finding:
    told = client.call("GET", "/account/verify").mapping()
    if told.get("valid") is False:
        return Finding(Health.FAILED, f"{client.catalog} says that our key is not valid.")
    expires = _moment(told.get("expires_at"))
    if expires is None:
        return Finding(Health.OK, f"{client.catalog} accepts our key.")
    day = expires.date().isoformat()
    if expires <= clock.now():
        return Finding(Health.FAILED, f"{client.catalog} says that our key expired on {day}: make a new one.")
    if expires - clock.now() < _SOON:
        return Finding(Health.WARNING, f"{client.catalog} accepts our key, but only until {day}: make a new one soon.")
    return Finding(Health.OK, f"{client.catalog} accepts our key until {day}.")


def _rights(client: HttpClient, owner: str | None) -> Finding:
    told = client.call("GET", "/account/profile").mapping().get("capabilities")
    rights = told if isinstance(told, dict) else {}
    if rights.get("can_create_dataset") is False:
        return Finding(Health.FAILED, f"Our account may not create datasets in {client.catalog}.")
    if owner and rights.get("can_create_for_others") is False:
        return Finding(
            Health.WARNING,
            f"Our account may not create datasets for others in {client.catalog}, but the configuration names the owner {owner}.",
        )
    return Finding(Health.OK, f"Our account may create datasets in {client.catalog}.")


def _known(client: HttpClient, kind: str, slug: str) -> Finding:
    """A slug has to stand for exactly one project or instrument; an id for one that is there."""
    if is_mfid(slug):
        client.call("GET", f"/{kind}s/{slug}").mapping()
        return Finding(Health.OK, f"The {kind} {slug} is known to {client.catalog}.")
    query = [(f"{kind}_id", slug), ("limit", "2")]
    count = len(_items(client, f"/{kind}s", query))
    if count == 1:
        return Finding(Health.OK, f"The {kind} {slug} is known to {client.catalog}.")
    if count == 0:
        return Finding(
            Health.FAILED,
            f"The {kind} {slug} is not known to {client.catalog}, or our account may not see it: "
            f"look at its spelling, or ask its owner to add our account.",
        )
    return Finding(Health.FAILED, f"There is more than one {kind} {slug} in {client.catalog}: tell its operators.")


def _items(client: HttpClient, path: str, query: Sequence[tuple[str, str]]) -> list[Any]:
    return client.call("GET", path, query=query).items()


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
