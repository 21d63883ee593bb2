"""Tell systemd how the service is doing (sd_notify(3), sd_watchdog_enabled(3)). Standard library only.

Without systemd every call does nothing. A message that systemd does not take is lost silently, as sd_notify(3) advises.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def ready(status: str = "") -> bool:
    """The service works now (also: the reload is done)."""
    return send("READY=1", *_status(status))


def reloading() -> bool:
    """The configuration is being read again; `ready` ends it. The time lets systemd tell old answers from new ones."""
    return send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")


def stopping(status: str = "") -> bool:
    """The service is ending."""
    return send("STOPPING=1", *_status(status))


def status(text: str) -> bool:
    """One line for `systemctl status`."""
    return send(*_status(text))


def alive() -> bool:
    """Feed the watchdog."""
    return send("WATCHDOG=1")


def send(*assignments: str) -> bool:
    """Send assignments to $NOTIFY_SOCKET; an address that begins with `@` is abstract. True if they were sent."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address[:1] not in {"/", "@"} or not assignments:
        return False
    where = "\0" + address[1:] if address.startswith("@") else address
    message = "\n".join(assignments).encode("utf-8", "backslashreplace")
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        link.settimeout(0)  # a systemd that is busy must not stop the daemon
        link.sendto(message, where)
        return True
    return False


def watchdog_interval(environment: Mapping[str, str] | None = None) -> float | None:
    """Seconds after which systemd takes a silent service for dead, or None. Feed it in half of that."""
    environment = os.environ if environment is None else environment
    asked, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    mine = not process or process == str(os.getpid())
    return int(asked) / 1e6 if mine and asked.isascii() and asked.isdigit() and int(asked) > 0 else None


def _status(text: str) -> tuple[str, ...]:
    return (f"STATUS={' '.join(text.split())}",) if text.strip() else ()
