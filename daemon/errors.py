"""Every error that labferry raises on purpose. Pure: standard library only.

LabferryError                 message (what is wrong) + advice (what to do), exit code
├── ConfigurationError        78: the YAML file is wrong; carries every problem with file:line:column
├── StateError                75: the state folder or the store cannot be used (locked, read-only, full, corrupt)
├── RootError                 an instrument folder is missing, unreadable or not the one it was
├── NotFoundError             1: a path, delivery or session that the caller named does not exist
└── CatalogError              one step of a delivery did not end
├── CatalogUnavailable    later: network, 429, 502-504, an answer that is none; may carry Retry-After
├── NotYet                later, and not the catalog's fault: something this step needs is not there yet
├── CredentialsRefused    the whole catalog waits: key missing, expired or not accepted
├── CatalogRefused        never by itself: the catalog's own words; the delivery is parked
└── SourceChanged         the local file is no longer what was hashed; it settles again
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class LabferryError(Exception):
    """The root. `message` is one sentence that says what is wrong, `advice` one that says what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class ConfigurationError(LabferryError):
    """The configuration cannot be used. `problems` holds one line for each mistake, in the order of the file."""

    exit_code = 78

    def __init__(self, problems: Sequence[str], advice: str = "") -> None:
        super().__init__("\n".join(problems), advice)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([*self.problems, self.advice] if self.advice else self.problems)


class StateError(LabferryError):
    """The state folder or the store cannot be used now."""

    exit_code = 75


def exhausted(error: BaseException) -> StateError | None:
    """The sentence for a computer that has no memory or no threads left, if this error says that."""
    threads = isinstance(error, RuntimeError) and "start new thread" in str(error)
    memory = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    if not threads and not memory:
        return None
    return StateError(
        f"This computer gives labferry no more {'memory or threads' if threads else 'memory'}; nothing is lost.",
        "Look who takes it (`systemctl status`, `free`), or raise MemoryMax, TasksMax or `ulimit -v`; then it goes on.",
    )


class RootError(LabferryError):
    """A root is missing, not mounted, unreadable, or another folder than before."""


class NotFoundError(LabferryError):
    """What the caller named is not known here."""


class CatalogError(LabferryError):
    """A step of a delivery did not end. Catalog adapters raise only the subclasses."""


class CatalogUnavailable(CatalogError):  # noqa: N818 reads as the state it reports
    """The catalog cannot answer now; the same request may succeed later. `retry_after` in seconds, if it said so."""

    exit_code = 75

    def __init__(self, message: str, advice: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, advice)
        self.retry_after = retry_after


class NotYet(CatalogError):  # noqa: N818 reads as the state it reports
    """This step needs something that another delivery brings (a session's parent record); try again soon."""


class CredentialsRefused(CatalogError):  # noqa: N818 reads as the state it reports
    """The catalog does not accept our key. Nothing of this instrument can be delivered there until a person acts."""


class CatalogRefused(CatalogError):  # noqa: N818 reads as the state it reports
    """The catalog understood and said no. Asking again changes nothing; a person has to look."""


class SourceChanged(CatalogError):  # noqa: N818 reads as the state it reports
    """The local file is not the one that was hashed any more."""
