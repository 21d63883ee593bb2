"""The API's routes for the account and the health: an embedded catalog has one account, whoever holds the token."""

from __future__ import annotations

from typing import Any

from daemon.localcatalog.datasets import account_id
from daemon.localcatalog.wire import Answer, Request, answer


def _user(request: Request) -> dict[str, Any]:
    return {
        "unique_id": account_id(request.catalog),
        "username": "labferry",
        "first_name": "labferry",
        "last_name": "catalog",
        "email": None,
        "is_service_account": False,
    }


def whoami(request: Request) -> Answer:
    """GET /account."""
    user = _user(request)
    return answer({"user_unique_id": user["unique_id"], "access_group_ids": [], "user_info": user})


def profile(request: Request) -> Answer:
    """GET /account/profile: every capability that this catalog has."""
    can = ("create_project", "register_instrument", "create_sample", "create_dataset", "create_for_others")
    capabilities = {f"can_{name}": True for name in can}
    capabilities |= {"can_manage_service_accounts": False, "can_manage_users": False}
    authorization = {"platform_role": "contributor", "effective_privilege_mode": "normal", "can_elevate": False}
    return answer({**_user(request), "authorization": authorization, "capabilities": capabilities})


def verify(request: Request) -> Answer:
    """GET /account/verify: the token is good until the file that holds it is deleted."""
    del request
    return answer({"valid": True, "created_at": None, "expires_at": None})


def live(request: Request) -> Answer:
    """GET /health/live."""
    del request
    return answer({"status": "ok"})


def ready(request: Request) -> Answer:
    """GET /health/ready: looks at the database."""
    before = request.catalog.clock.monotonic()
    request.catalog.database.one("ping")
    latency = (request.catalog.clock.monotonic() - before) * 1000
    build = {"api_version": "v3", "git_commit": None, "branch": None}
    return answer({"status": "ok", "build": build, "database": {"status": "ok", "latency_ms": round(latency, 3)}})
