"""The preflight of a SciCat: generation, log-in, and what our account may do. Writes nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from daemon.catalogs.catalog import Finding, Health
from daemon.catalogs.scicat.account import Renewed
from daemon.catalogs.scicat.lookups import PROBED, probe, refusal
from daemon.catalogs.scicat.record import KNOWN_TYPES, chosen_pid
from daemon.errors import LabferryError
from daemon.placeholders import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from daemon.catalogs.http import HttpClient
    from daemon.catalogs.scicat.account import Account
    from daemon.catalogs.scicat.lookups import SciCatOptions

DOCUMENT: Final = "/explorer-json"
_NOT_OFFERED: Final = (401, 403, 404, 405)
_OURS: Final = frozenset({"instrument", "techniques", "datasetlifecycle"})
_NOBODY: Final = "labferry-asks-for-another-group"


def check(
    client: HttpClient, account: Account, options: SciCatOptions, instruments: Callable[[str], list[str]]
) -> list[Finding]:
    """One sentence for everything that a delivery needs. Stops early if nothing answers. Never raises."""
    findings: list[Finding] = []
    looks = (_alive, _log_in, _rights, partial(_instrument, instruments))
    for look in looks:
        try:
            findings += look(client, account, options)
        except LabferryError as error:
            findings.append(Finding(Health.FAILED, str(error)))
        except Renewed:
            findings.append(Finding(Health.FAILED, f"{client.catalog} does not know the token that it has just given."))
        if any(finding.health is Health.FAILED for finding in findings) and look in looks[:2]:
            break
    return findings


def generation(document: Mapping[str, Any]) -> str:
    """Which generation a backend's OpenAPI document is of: `5` (4.28 and later) or `4`; an empty text if it says neither.

    They differ in a dataset's relationships (`identifier` since 4.28, `pid` before) and in nothing else that we send.
    """
    schemas = document.get("components", {}).get("schemas", {})
    relation = schemas.get("RelationshipClass", {}).get("properties", {})
    return "5" if "identifier" in relation else "4" if "pid" in relation else ""


def _alive(client: HttpClient, account: Account, options: SciCatOptions) -> Iterator[Finding]:
    del account
    client.call("GET", "/api/v3/health").mapping()
    answer = client.call("GET", DOCUMENT, slow=True, also=_NOT_OFFERED)
    document = answer.mapping() if answer.ok else {}
    known = generation(document)
    yield Finding(Health.OK, f"{client.catalog} answers" + (f"; it is of generation {known}." if known else "."))
    fields = document.get("components", {}).get("schemas", {}).get("CreateDatasetDto", {}).get("properties")
    sent = [name for name, value in options.settings.dataset if value not in (None, (), {}) and name not in _OURS]
    kind = options.settings.dataset.type
    if not Template.parse(kind).names() and kind.lower() not in KNOWN_TYPES:
        text = f"type: {kind!r} is neither raw nor derived; {client.catalog} takes any word for it: look whether it is one of the facility's."
        yield Finding(Health.WARNING, text)
    unknown = sorted(set(sent) - set(fields)) if isinstance(fields, dict) else []
    if unknown:
        text = (
            f"{client.catalog} does not know the fields {', '.join(unknown)} and would refuse every dataset with them."
        )
        yield Finding(Health.FAILED, text)


def _log_in(client: HttpClient, account: Account, options: SciCatOptions) -> Iterator[Finding]:
    secret = options.password or options.token
    origin = f" (from {secret.origin})" if secret is not None else ""
    identity = account.identity()
    groups = ", ".join(identity.groups) or "no group"
    yield Finding(Health.OK, f"{client.catalog} knows us as {identity.username}, in {groups}{origin}.")
    if secret is not None and secret.warning:
        yield Finding(Health.WARNING, secret.warning)
    if not account.renews:
        yield Finding(
            Health.WARNING, "A token ends some day, and no other is made by itself: give a functional account."
        )
    if identity.group(options.settings.group) is None:
        text = "our account is in several groups and none has its name: say which is its own by `group:`."
        yield Finding(Health.FAILED, f"{client.catalog}: {text}")


def _rights(client: HttpClient, account: Account, options: SciCatOptions) -> Iterator[Finding]:
    """Asked by `isValid`, which answers 403 to what the account may not do and stores nothing."""
    settings = options.settings
    own = account.identity().group(settings.group) or ""
    wanted = Template.parse(settings.dataset.ownerGroup)
    fixed = None if wanted.names() else wanted.fill({})
    others = _may(account, ownerGroup=_NOBODY)
    creates = _may(account, ownerGroup=own)
    if not creates and not others:
        yield Finding(Health.FAILED, f"Our account may not create datasets in {client.catalog}.")
        return
    yield Finding(
        Health.OK,
        f"Our account may create datasets in {client.catalog}, and list files and attach pictures to them"
        + (", also for other groups." if others else f", for the group {own} only."),
    )
    if fixed is not None and fixed != own and not _may(account, ownerGroup=fixed):
        yield Finding(Health.FAILED, f"ownerGroup: our account may not create datasets for the group {fixed}.")
    elif fixed is None and not others:
        yield Finding(
            Health.WARNING,
            f"ownerGroup: a dataset whose {settings.dataset.ownerGroup} is another group than {own} will be refused.",
        )
    yield _pids(account, options, own)
    delayed = settings.transfer.mode != "in-place" and settings.dataset.datasetlifecycle.archivable == "when complete"
    if delayed and fixed != own:
        text = f"datasetlifecycle: datasets of other groups than {own} stay closed to the archive, because our account may not open them afterwards."
        yield Finding(Health.WARNING, text)


def _pids(account: Account, options: SciCatOptions, own: str) -> Finding:
    prefix = options.settings.pid_prefix
    words = refusal(account, probe(own, pid=chosen_pid(prefix or "labferry", PROBED)))
    if prefix is None:
        also = "" if words else " It may choose them itself: give `pid_prefix`, and nothing can be there twice."
        return Finding(Health.OK, f"Datasets are found again by their ingest key, with pids of SciCat's.{also}")
    if not words:
        return Finding(Health.OK, f"Our account may choose pids; they begin with {prefix}/.")
    text = f"pid_prefix: our account may not choose pids like {prefix}/… ({words}); SciCat makes them, and datasets are found by their ingest key."
    return Finding(Health.WARNING, text)


def _instrument(
    instruments: Callable[[str], list[str]], client: HttpClient, account: Account, options: SciCatOptions
) -> Iterator[Finding]:
    del account
    text = options.settings.dataset.instrument
    template = Template.parse(text) if text else None
    if template is None or template.names() - {"instrument", "instrument_id", "instrument_name"}:
        return
    name = template.fill({"instrument": options.instrument})
    if name is not None and len(instruments(name)) == 1:
        yield Finding(Health.OK, f"The instrument {name} is known to {client.catalog}.")
    elif name is not None:
        text = (
            f"instrument: {client.catalog} knows none (or more than one) that is called {name}; datasets go without it."
        )
        yield Finding(Health.WARNING, text)


def _may(account: Account, **fields: Any) -> bool:
    return not refusal(account, {**probe(""), **fields})
