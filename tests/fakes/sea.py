"""A catalog behind a proxy, and what an undisturbed voyage leaves there: what every disturbed one is compared with."""

from __future__ import annotations

import itertools
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fakes.faultproxy import FaultProxy
from tests.fakes.served import SERVERS
from tests.fakes.voyage import Voyage, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fakes.faultproxy import Fault
    from tests.fakes.served import Served


@dataclass
class Sea:
    """A catalog behind a proxy, what an undisturbed voyage leaves there, and its requests in order."""

    name: str
    served: Served
    proxy: FaultProxy
    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)
    requests: list[str] = field(default_factory=list)
    expected: tuple[Any, ...] = ()
    datasets: int = 0

    def harbour(self) -> Path:
        """A folder of its own, with a measurement."""
        folder = self.folder / f"{next(self.numbers)}"
        folder.mkdir()
        load(folder / "data")
        return folder

    def voyage(self, folder: Path | None = None) -> Voyage:
        """A voyage from this folder, or from one of its own."""
        served = self.served
        way = (served.adapter, self.proxy.port, served.sample, served.project, served.public)
        return Voyage(folder or self.harbour(), *way)

    def sail_undisturbed(self) -> None:
        """Learn the requests and what they leave."""
        with self.voyage() as voyage:
            self.proxy.lines.clear()
            voyage.whole()
            self.requests = [self.served.title(line) for line in self.proxy.lines]
            self.expected = self.arrived(voyage)
            self.datasets = self.served.count()

    def arrived(self, voyage: Voyage) -> tuple[Any, ...]:
        """What the catalog holds of a voyage; ids by their role."""
        ids = voyage.ids()
        return tuple(
            _named(self.served.contents(unique_id), dict(zip(ids, ("own", "parent", "child"), strict=True)))
            for unique_id in ids
        )

    def disturbed(self, fault: Fault, number: int) -> list[str]:
        """One voyage whose n-th request meets a fault, then a new start; what is wrong afterwards."""
        with self.voyage() as voyage:
            self.proxy.arm("", fault, skip=number)
            voyage.whole(enough=lambda: self.proxy.struck > 0)
            struck = self.proxy.struck
            self.proxy.disarm()
            voyage.restart()
            voyage.whole()
            return ([] if struck else ["the fault was not met"]) + self.wrong(voyage)

    def wrong(self, voyage: Voyage) -> list[str]:
        """What the catalog holds otherwise than after an undisturbed voyage, or too much of."""
        self.datasets += sum(one is not None for one in self.expected)
        surplus = self.served.count() - self.datasets
        self.datasets += surplus  # told once
        told = [f"{surplus} datasets too many"] if surplus else []
        return told + differences(self.expected, self.arrived(voyage))


def _named(value: Any, names: dict[str, str]) -> Any:
    """The value with the voyage's own ids replaced by their roles; lists in one order, whatever the ids were."""
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_named(item, names) for item in value), key=repr)
    if isinstance(value, tuple):
        return tuple(_named(item, names) for item in value)
    if isinstance(value, str):
        for unique_id, name in names.items():
            value = value.replace(unique_id, name)
    return value


def differences(expected: tuple[Any, ...], found: tuple[Any, ...]) -> list[str]:
    """What was found in place of what was expected, part by part."""
    return [
        f"{name}: {found_one.get(name) if found_one else None!r} in place of {part!r}"
        for one, found_one in zip(expected, found, strict=True)
        for name, part in (one or {}).items()
        if not found_one or found_one.get(name) != part
    ]


@contextmanager
def open_sea(name: str, folder: Path) -> Iterator[Sea]:
    """The catalog of this name, with one undisturbed voyage made."""
    with ExitStack() as stack:
        served = stack.enter_context(SERVERS[name](folder))
        proxy = stack.enter_context(FaultProxy(served.port))
        sea = Sea(name, served, proxy, folder)
        sea.sail_undisturbed()
        yield sea
