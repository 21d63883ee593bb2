"""When to try again. Pure: standard library only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

BASE_SECONDS: Final = 1.0
CAP_SECONDS: Final = 3600.0


def full_jitter(
    attempt: int, randomness: random.Random, *, base: float = BASE_SECONDS, cap: float = CAP_SECONDS
) -> float:
    """Seconds until try number `attempt` + 1: uniform between 0 and min(cap, base * 2**attempt).

    Full jitter spreads a fleet of instruments that all lost the same catalog evenly over the interval
    (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    ceiling = min(cap, base * 2.0 ** min(attempt, 32))
    return randomness.uniform(0.0, ceiling)


def next_delay(attempt: int, randomness: random.Random, retry_after: float | None = None) -> float:
    """The delay in seconds after a failed try; never earlier than the catalog asked for with Retry-After."""
    delay = full_jitter(attempt, randomness)
    return delay if retry_after is None else max(0.0, retry_after) + min(delay, BASE_SECONDS)
