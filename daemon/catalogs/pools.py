"""Connections to a catalog and its storage: httpx's transports without its Client.

Nothing of what that adds (cookies, redirects, authentication, hooks) is wanted here, and it is a third of what a small
request costs.
"""

from __future__ import annotations

import ssl
import threading
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

import httpx

from daemon.catalogs.loopback import LoopbackTransport
from daemon.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

_CONNECTIONS: Final = 24
_IDLE_SECONDS: Final = 30.0


class Pools:
    """One pool for this computer, one for each proxy of the environment, and one without. Raises ConfigurationError."""

    def __init__(self, catalog: str, verify: bool | Path) -> None:  # noqa: FBT001 as httpx calls it
        self._catalog = catalog
        self._lock = threading.Lock()
        self._proxies = getproxies()
        self._here = LoopbackTransport()
        self._pools: dict[str | None, httpx.HTTPTransport] = {}
        try:
            self._tls = verify if isinstance(verify, bool) else ssl.create_default_context(cafile=verify)
        except OSError as error:
            raise ConfigurationError([f"The certificates for the catalog {catalog} cannot be read: {error}."]) from None

    def reaching(self, url: httpx.URL) -> httpx.BaseTransport:
        """The pool for an address."""
        here = _is_this_computer(url.host)
        if here and url.scheme == "http":
            return self._here
        proxy = None if here else self._proxy(url)
        with self._lock:
            pool = self._pools.get(proxy)
            if pool is None:
                pool = self._pools[proxy] = self._new(proxy)
            return pool

    def close(self) -> None:
        """Give back every connection."""
        self._here.close()
        with self._lock:
            for pool in self._pools.values():
                pool.close()

    def _proxy(self, url: httpx.URL) -> str | None:
        """The environment's proxy; never one for this computer."""
        if not self._proxies or proxy_bypass(url.host):
            return None
        return self._proxies.get(url.scheme) or self._proxies.get("all")

    def _new(self, proxy: str | None) -> httpx.HTTPTransport:
        limits = httpx.Limits(
            max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS, keepalive_expiry=_IDLE_SECONDS
        )
        try:
            whole = None if proxy is None else httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")
            return httpx.HTTPTransport(verify=self._tls, limits=limits, proxy=whole, trust_env=False)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise ConfigurationError([f"The proxy for the catalog {self._catalog} is not usable: {error}."]) from None


@lru_cache(maxsize=256)
def _is_this_computer(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
